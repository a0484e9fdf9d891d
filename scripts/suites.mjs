// How `npm test` runs the files below build/test: bundled, and several in a process where they can share one.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

/** Test files below build/test whose path contains one of the words; all of them without words. */
export function testFiles(words) {
  return readdirSync(join('build', 'test'), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join('build', 'test', file))
    .filter((file) => existsSync(file.replace(`build${sep}`, '').replace(/\.js$/, '.ts')))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
}

/**
 * Folders below `test` whose files can share a process, but for those of `ALONE`; with `*` only the files right in it. They change nothing
 * that belongs to all of the process, and are content with others on the hub that they share.
 */
const SHARING = [
  'cli/tables',
  'client/connection',
  'client/http',
  'client/session',
  'client/signing',
  'client/watch',
  'conformance',
  'gateway/connections',
  'gateway/events',
  'gateway/outgoing',
  'gateway/transports',
  'http',
  'lib',
  'protocol',
  'registry/*',
  'registry/answers',
  'registry/lists',
  'registry/mirror',
  'registry/store',
  'registry/write',
  'streams',
  'web',
];
const ALONE = /\b(dashboard|registry\/log)\.test\.js$/;
/**
 * The longest, which go first, because the last of all would run alone on one core. Node takes files in the order of their paths: `suites` comes
 * before `test`, and numbers before names.
 */
const FIRST = ['web/dashboard', 'cli/commands', 'packaging/pack', 'simulation/simulation'];
/** Few enough that the last of all does not run for long when all others have ended. */
const FILES_A_PROCESS = 8;

/**
 * Has test files share processes where they can, and so the hubs that they use: to start a process and load what it tests takes longer
 * than most of them. Each of the files that this returns imports several; what fails is still named by its own.
 */
function together(files) {
  const folder = join('build', 'suites');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const rooms = new Map();
  for (const file of files) {
    const path = relative(join('build', 'test'), file).replaceAll(sep, '/');
    const room = SHARING.find((name) =>
      name.endsWith('*') ? name === `${dirname(path)}/*` : path.startsWith(`${name}/`),
    );
    const key = room === undefined || ALONE.test(path) ? file : room;
    rooms.set(key, [...(rooms.get(key) ?? []), file]);
  }
  const write = (name, imported) => {
    const path = join(folder, `${name}.test.js`);
    const lines = imported.map((file) => relative(folder, file).replaceAll(sep, '/'));
    writeFileSync(path, lines.map((file) => `import ${JSON.stringify(file)};\n`).join(''));
    return path;
  };
  return [...rooms].flatMap(([room, all]) => {
    if (all.length === 1) {
      const place = FIRST.findIndex(
        (name) => all[0] === join('build', 'test', ...name.split('/')) + '.test.js',
      );
      return place === -1 ? all : write(`${place + 1}-${basename(all[0], '.test.js')}`, all);
    }
    const made = [];
    for (let first = 0; first < all.length; first += FILES_A_PROCESS) {
      const name = `${room.replaceAll(/\W+/g, '-')}-${made.length + 1}`;
      made.push(write(name, all.slice(first, first + FILES_A_PROCESS)));
    }
    return made;
  });
}

/**
 * Bundles test files, together where they can share a process: to find and load the hub's hundreds of small modules takes longer than most
 * of them. @returns What to run, in the order of `FIRST`.
 */
export async function makeSuites(files) {
  const folder = join('build', 'bundles');
  rmSync(folder, { recursive: true, force: true });
  const suites = together(files);
  // Only now, because what it imports may have been installed just before.
  const { bundlePrograms } = await import('./build.mjs');
  await bundlePrograms(suites, { from: 'build', to: folder });
  return suites.map((file) => join(folder, relative('build', file)));
}
