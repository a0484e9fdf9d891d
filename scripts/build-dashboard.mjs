// Bundles web/ into the files of the dashboard: a page, and scripts, a stylesheet and data whose names change with their content.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { build as bundle } from 'esbuild';

const { resolve: find } = createRequire(import.meta.url);
const ALPHA_2_BY_NUMBER = new Map(
  JSON.parse(readFileSync(find('i18n-iso-countries/codes.json'), 'utf8')).map(([alpha2, , number]) => [
    number,
    alpha2,
  ]),
);

/** The outlines of countries, under the codes that advertisements use; a file of its own, which the map's page fetches. */
const outlines = {
  name: 'outlines',
  setup(build) {
    build.onResolve({ filter: /^outlines$/ }, () => ({ path: 'outlines.json', namespace: 'outlines' }));
    build.onLoad({ filter: /.*/, namespace: 'outlines' }, () => {
      const world = JSON.parse(readFileSync(find('world-atlas/countries-50m.json'), 'utf8'));
      delete world.objects.land;
      for (const country of world.objects.countries.geometries) {
        // Kosovo has no ISO number.
        const code = country.properties.name === 'Kosovo' ? 'XK' : ALPHA_2_BY_NUMBER.get(country.id);
        delete country.properties;
        delete country.id;
        if (code !== undefined) country.id = code;
      }
      return { contents: JSON.stringify(world), loader: 'file' };
    });
  },
};

/**
 * @returns The files by their names; `index.html` names the others.
 */
export async function bundleDashboard() {
  const { outputFiles, metafile } = await bundle({
    entryPoints: { dashboard: join('web', 'main.ts'), icon: join('web', 'icon.svg') },
    outdir: 'assets',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    minify: true,
    metafile: true,
    write: false,
    tsconfig: join('web', 'tsconfig.json'),
    alias: { zod: resolve('src', 'client', 'bundle', 'zod.ts') },
    plugins: [outlines],
    logLevel: 'warning',
  });
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  const named = (start, ending) =>
    `assets/${Object.keys(files).find((name) => name.startsWith(start) && name.endsWith(ending))}`;
  const script = named('dashboard-', '.js');
  const importsOf = (file, wanted) =>
    Object.entries(metafile.outputs)
      .find(([path]) => path.endsWith(basename(file)))[1]
      .imports.filter(({ kind }) => kind === wanted)
      .map(({ path }) => path);
  // What the entry loads, and what that imports, is fetched in parallel with it, not after it.
  const [start] = importsOf(script, 'dynamic-import');
  const startFiles = [start, ...importsOf(start, 'import-statement')].map((path) => basename(path));
  const preloads = startFiles.map((name) => `<link rel="modulepreload" href="assets/${name}" />`);
  for (const name of startFiles) {
    // Chromium then compiles it while it is being fetched, in another thread, instead of each function when it is first called.
    files[name] = `//# allFunctionsCalledOnLoad\n${Buffer.from(files[name]).toString()}`;
  }
  const page = readFileSync(join('web', 'index.html'), 'utf8')
    .replace('{script}', script)
    .replace('<link rel="stylesheet"', (link) => [...preloads, link].join('\n    '))
    .replace('{style}', named('dashboard-', '.css'))
    .replace('{icon}', named('icon-', '.svg'));
  return { ...files, 'index.html': page, 'licences.txt': licencesOf(Object.keys(metafile.inputs)) };
}

/** The licence notices of bundled packages. */
function licencesOf(inputs) {
  const folders = inputs.map((input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  const packages = [...new Set([...folders, dirname(find('world-atlas/package.json'))])].filter(Boolean);
  return packages
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8')}`;
    })
    .sort()
    .join('\n----\n\n');
}
