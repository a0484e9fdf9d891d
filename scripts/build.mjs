// What a build creates apart from compiled modules: the bundled command and threads, the client's own package, and the files that a hub
// serves, including the dashboard.
import { execFileSync } from 'node:child_process';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle, stop as endBundler } from 'esbuild';
import { bundleDashboard } from './build-dashboard.mjs';
import { joinDeclarations } from './declarations.mjs';
import { withoutDescriptions } from './described.mjs';

/** The run-time dependencies of the client's package; everything else in it is ours. */
const CLIENT_DEPENDENCIES = ['@noble/ed25519', '@noble/hashes', '@noble/secp256k1', 'ws'];

/** The options of both bundles of the client: our replacement for zod (src/client/bundle/zod.ts), and schemas without descriptions. */
const bundling = (dist) => ({
  bundle: true,
  format: 'esm',
  target: 'es2022',
  alias: { zod: resolve(dist, 'client', 'bundle', 'zod.js') },
  plugins: [descriptionsGo(resolve(dist, 'protocol'))],
  logLevel: 'warning',
});

/** Packages outside the command's bundle, because they load files of their own: native code or worker scripts. */
const UNBUNDLED = [
  '@grpc/grpc-js',
  'better-sqlite3',
  'msgpackr-extract',
  'pino',
  'pino-pretty',
  'secp256k1',
  'sodium-native',
];
/** An ES module, which Node 20 cannot require. */
const IMPORTED = ['uWebSockets.js'];

/** Packages that only tests use, and that look for files of their own. */
const UNBUNDLED_IN_TESTS = ['axe-core', 'esbuild', 'playwright-core', 'typescript'];

/** The scripts of the hub's threads, by the names that `threadScript` knows. */
const THREADS = {
  checker: 'registry/mirror/reading/checker.js',
  mirror: 'registry/mirror/worker.js',
  reader: 'registry/mirror/reading/reader.js',
  verifier: 'registry/write/verifier/worker.js',
};

/** The options of bundles that Node runs. */
const PROGRAMS = {
  bundle: true,
  external: IMPORTED,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  chunkNames: '[name]-[hash]',
  // CommonJS packages load Node's modules by this name.
  banner: {
    js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
  },
  logLevel: 'warning',
};

/**
 * Bundles the command from a folder of compiled modules into `command/main.js` there, and each thread into `threads/`: otherwise, finding and
 * loading hundreds of small modules would take most of a command's time, and of a hub's start.
 */
export async function makeCommand(compiled) {
  const root = resolve(compiled);
  const inFolder = (path) =>
    `new URL(${JSON.stringify(`../${slashes(relative(root, path))}`)}, import.meta.url).href`;
  const common = { ...PROGRAMS, plugins: [neighboursStay(root, inFolder), unbundled(UNBUNDLED)] };
  const command = join(root, 'command');
  rmSync(command, { recursive: true, force: true });
  const scripts = Object.entries(THREADS).map(([name, path]) => [name, join(root, path)]);
  try {
    await Promise.all([
      bundle({ ...common, entryPoints: [join(root, 'cli', 'main.js')], outdir: command, splitting: true }),
      bundle({ ...common, entryPoints: Object.fromEntries(scripts), outdir: join(root, 'threads') }),
    ]);
  } finally {
    await endBundler();
  }
}

/** Bundles programs below a folder into another one, for this machine alone. What several use is there once. */
export async function bundlePrograms(files, { from, to }) {
  const asItIs = (path) => JSON.stringify(pathToFileURL(path).href);
  try {
    await bundle({
      ...PROGRAMS,
      plugins: [neighboursStay(resolve('.'), asItIs), unbundled([...UNBUNDLED, ...UNBUNDLED_IN_TESTS])],
      entryPoints: files,
      outbase: from,
      outdir: to,
      splitting: true,
      chunkNames: 'shared/[name]-[hash]',
    });
  } finally {
    await endBundler();
  }
}

/**
 * Makes the tests, the benchmark and what they use of the dashboard runnable in a folder, with a link to the compiled hub beside them. It
 * only strips their types; `npm run check` checks them.
 */
export async function makeTests(compiled, folder) {
  for (const name of ['test', 'bench', 'web', 'src'])
    rmSync(join(folder, name), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A junction, because Windows lets only some users make other links; elsewhere it is the same.
  symlinkSync(resolve(compiled), join(folder, 'src'), 'junction');
  try {
    await bundle({
      entryPoints: ['test/**/*.ts', 'bench/**/*.ts', 'web/**/*.ts'],
      outbase: '.',
      outdir: folder,
      format: 'esm',
      target: 'es2022',
      sourcemap: true,
      logLevel: 'warning',
    });
  } finally {
    await endBundler();
  }
}

/** Writes the manual page, generated from the command's help, so that an install puts it where `man` looks. */
export function makeManual(dist) {
  const page = execFileSync(process.execPath, [join(dist, 'command', 'main.js'), 'manual']);
  writeFileSync(join(dist, 'discovery-hub.1'), page);
}

/** Makes bundled modules look for their neighbours (threads, assets) where they were compiled, not in the bundle. */
function neighboursStay(root, urlOf) {
  return {
    name: 'neighbours-stay',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(root + sep) || path.includes(`${sep}node_modules${sep}`)) return null;
        return { contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', urlOf(path)) };
      });
    },
  };
}

/**
 * Leaves CommonJS packages out of a bundle. They are required, not imported: before Node imports one, it reads all of it for the names that it
 * exports, which would take half of the start of a thread.
 */
function unbundled(packages) {
  return {
    name: 'unbundled',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (!packages.includes(path)) return null;
        return kind === 'import-statement' ? { path, namespace: 'required' } : { external: true };
      });
      onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(path)});`,
      }));
    },
  };
}

const slashes = (path) => path.split(sep).join('/');

/** Strips the descriptions of schemas below a folder: the client's types have them. */
function descriptionsGo(root) {
  return {
    name: 'descriptions-go',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, async ({ path }) =>
        path.startsWith(root + sep) ? { contents: withoutDescriptions(await readFile(path, 'utf8')) } : null,
      );
    },
  };
}

/** Builds the client's package and the assets from the compiled modules in `dist`, into `dist`. */
export async function makeClientAndAssets(dist) {
  const [browser, node] = await joinDeclarations(dist, ['client/index', 'client/node']);
  try {
    await makeClient(dist, { browser, node });
    await makeAssets(dist, browser);
  } finally {
    // esbuild's own process would otherwise stay for as long as this one: with `npm start`, as long as the hub.
    await endBundler();
  }
}

/** The package `vm-discovery-client`, as a folder to pack. */
async function makeClient(dist, declarations) {
  const folder = join(dist, 'vm-discovery-client');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, platform] of [
    ['index', 'browser'],
    ['node', 'node'],
  ]) {
    await bundle({
      ...bundling(dist),
      entryPoints: [join(dist, 'client', `${name}.js`)],
      outfile: join(folder, `${name}.js`),
      platform,
      external: CLIENT_DEPENDENCIES,
    });
  }
  writeFileSync(join(folder, 'index.d.ts'), declarations.browser);
  writeFileSync(join(folder, 'node.d.ts'), declarations.node);
  const { version, license, engines, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const browser = { types: './index.d.ts', default: './index.js' };
  const description = {
    name: 'vm-discovery-client',
    version,
    description:
      'The client of a VM discovery hub, for providers and for those who look for one, in Node and in browsers.',
    license,
    type: 'module',
    engines,
    sideEffects: false,
    exports: {
      '.': {
        browser,
        workerd: browser,
        default: { types: './node.d.ts', default: './node.js' },
      },
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(CLIENT_DEPENDENCIES.map((name) => [name, dependencies[name]])),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  copyFileSync(join('src', 'client', 'README.md'), join(folder, 'README.md'));
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
}

/**
 * The files that a hub serves. They appear all at once, because `npm start` takes them to be complete where they are newer than the sources.
 */
export async function makeAssets(dist, declarations) {
  const made = join(dist, 'assets');
  const folder = join(dist, 'assets.part');
  for (const old of [made, folder]) rmSync(old, { recursive: true, force: true });
  mkdirSync(folder);
  const { outputFiles } = await bundle({
    ...bundling(dist),
    entryPoints: [join(dist, 'client', 'index.js')],
    platform: 'browser',
    minify: true,
    write: false,
  });
  // Only its files, because the package has a dependency that runs a script when installed.
  const swagger = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json');
  const files = {
    'client.js': outputFiles[0].contents,
    'client.d.ts': Buffer.from(declarations),
    'protocol.md': readFileSync(join('docs', 'protocol.md')),
    ...Object.fromEntries(
      ['swagger-ui.css', 'swagger-ui-bundle.js'].map((name) => [
        name,
        readFileSync(join(swagger, '..', name)),
      ]),
    ),
  };
  writeCompressed(folder, files);
  const dashboard = join(folder, 'dashboard');
  mkdirSync(dashboard);
  writeCompressed(dashboard, await bundleDashboard());
  renameSync(folder, made);
}

/** Writes files, each also compressed. */
function writeCompressed(folder, files) {
  for (const [name, file] of Object.entries(files)) {
    const content = Buffer.from(file);
    writeFileSync(join(folder, name), content);
    writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
    // The maximum level takes seconds for a large file, and saves little more.
    const params = { [constants.BROTLI_PARAM_QUALITY]: content.length > 500_000 ? 9 : 11 };
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, { params }));
  }
}
