// What stands behind the npm scripts that need packages or a build: each does its own set-up, so that it works in a fresh clone, and says what
// it is doing. `install` does nothing else.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { clearInterval, setInterval } from 'node:timers';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { otherNode, WITHOUT_SQLITE } from './other-node.mjs';
import { ProgramError, runSteps } from './steps.mjs';
import { makeSuites, testFiles } from './suites.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const [command, ...rest] = process.argv.slice(2);
const nodeVersion = Number(process.versions.node.split('.')[0]);
const say = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

/** Runs a program to its end; stops with its status if it fails. */
function run(program, args, options = {}) {
  const { status, signal, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (error) fail(`${program} could not be run: ${error.message}`);
  if (signal) process.exit(1);
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a tool of the project's dependencies. */
const tool = (path, ...args) => run(process.execPath, [join('node_modules', ...path.split('/')), ...args]);

/** The packages that may run a script when they are installed: it fetches or compiles their native code. */
const NATIVE = ['better-sqlite3', 'msgpackr-extract'];
/** Which package-lock.json the installed packages are of. */
const MARKER = join('node_modules', '.installed');

/** Folders of all packages that package-lock.json has for this platform. */
function packageFolders() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const fits = (wanted, own) => wanted === undefined || wanted.includes(own);
  return Object.entries(packages)
    .filter(([path, { os, cpu }]) => path !== '' && fits(os, process.platform) && fits(cpu, process.arch))
    .map(([path]) => path);
}

/** Node's own headers, where they lie beside it: compiling needs them, and npm would fetch them. */
function headers() {
  const prefix = join(dirname(process.execPath), '..');
  const isThere = existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  return isThere && process.env.npm_config_nodedir === undefined ? { npm_config_nodedir: prefix } : {};
}

/** Installs what package-lock.json says, unless that very state is installed already. */
function installSteps() {
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(MARKER) && readFileSync(MARKER, 'utf8') === wanted) return [];
  const folders = packageFolders();
  const here = () => folders.filter((folder) => existsSync(join(folder, 'package.json'))).length;
  const npm = (program, ...args) =>
    program('npm', args, {
      shell: process.platform === 'win32',
      // With JOBS, native code is compiled on all cores; SQLite takes longest, and a quarter less at -O2 than at its package's -O3.
      env: { JOBS: 'max', CFLAGS: '-O2', ...process.env, ...headers(), npm_config_progress: 'false' },
    });
  return [
    {
      title: `Installing ${folders.length} packages`,
      usually: 'half a minute',
      progress: () => `${here()} of ${folders.length}`,
      work: async (program) => {
        if (nodeVersion < 22) {
          say(
            'npm may warn (EBADENGINE) that uws-pack asks for Node 22: it has a binary for this version, too, and the hub does without where none loads.',
          );
        }
        await npm(program, 'ci', '--ignore-scripts', '--no-audit', '--no-fund');
      },
    },
    {
      title: 'Getting SQLite',
      inBackground: true,
      usually: 'seconds where there is a ready-made one for this machine, else a minute or two',
      progress: () =>
        existsSync(join('node_modules', 'better-sqlite3', 'build', 'Makefile'))
          ? 'compiling it'
          : 'looking for a ready-made one',
      hint: 'SQLite is compiled where there is no ready-made one: that takes a C++ compiler, make and Python 3 (Debian: apt-get install g++ make python3).',
      work: async (program) => {
        await npm(program, 'rebuild', ...NATIVE);
        writeFileSync(MARKER, wanted);
      },
    },
  ];
}

/** Written at the end of each build. */
const BUILT = join('dist', '.built');
const TSC = join('node_modules', 'typescript', 'bin', 'tsc');

/** Compiles the sources of the hub into dist/, and makes the client's package and the files that a hub serves. */
function buildSteps() {
  return [
    {
      title: 'Compiling the hub',
      usually: 'half a minute the first time',
      work: async (program) => {
        await program(process.execPath, [TSC, '-p', 'tsconfig.build.json']);
        const { makeCommand, makeManual } = await import('./build.mjs');
        await makeCommand('dist');
        makeManual('dist');
      },
    },
    {
      title: 'Bundling the client, the dashboard and the documentation',
      usually: 'a few seconds',
      work: async () => {
        const made = join('dist', 'assets', 'client.js');
        const sources = [
          join('dist', 'client'),
          join('dist', 'protocol'),
          'web',
          'scripts',
          'package-lock.json',
        ];
        if (!existsSync(made) || statSync(made).mtimeMs <= Math.max(...sources.map(newest))) {
          const { makeClientAndAssets } = await import('./build.mjs');
          await makeClientAndAssets('dist');
        }
        writeFileSync(BUILT, '');
      },
    },
  ];
}

/** Builds the hub, and makes the tests and the benchmark runnable in build/. */
function wholeBuildSteps() {
  return [
    ...buildSteps(),
    {
      title: 'Preparing the tests',
      usually: 'seconds',
      work: async () => {
        const { makeTests } = await import('./build.mjs');
        await makeTests('dist', 'build');
      },
    },
  ];
}

/** When the newest file below a folder was written, or a single file. */
function newest(folder) {
  if (!statSync(folder).isDirectory()) return statSync(folder).mtimeMs;
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs),
  );
}

function staleBuildSteps() {
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs > Math.max(newest('src'), newest('web'))) return [];
  return buildSteps();
}

/** Runs a compiled program, such as a benchmark, with what follows the command. */
const program =
  (...path) =>
  (args) =>
    run(process.execPath, ['--enable-source-maps', join('build', ...path), ...args]);

/** Becomes a program of the hub, which then reads what follows the command. */
const become =
  (...path) =>
  async (args) => {
    endWithNpm();
    process.argv.splice(1, process.argv.length - 1, join(root, 'dist', ...path), ...args);
    await import(`../dist/${path.join('/')}`);
  };

/** npm runs a shell, which passes no signal on and may outlive it. When either has ended, this process stops as well. */
function endWithNpm() {
  if (process.env.npm_lifecycle_event !== command) return;
  const parent = process.ppid;
  const asked = spawnSync('ps', ['-o', 'ppid=', '-p', String(parent)], { encoding: 'utf8' });
  const npm = Number(asked.stdout) || parent;
  const timer = setInterval(() => {
    if (process.ppid === parent && isRunning(npm)) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 200).unref();
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const TEST_OPTIONS = ['--enable-source-maps', '--test', '--test-reporter=spec'];

/** Runs the tests whose paths contain one of the words. */
async function test(words, env = process.env) {
  const files = testFiles(words);
  if (files.length === 0) fail(`No test file has ${words.join(' or ')} in its path.`);
  say(`Running ${files.length === 1 ? 'one test file' : `${files.length} test files`} …`);
  const reporters = ['--test-reporter-destination=stdout', '--test-reporter=./scripts/left-out.mjs'];
  const options = [
    ...TEST_OPTIONS,
    ...reporters,
    '--test-reporter-destination=stdout',
    '--test-concurrency=4',
  ];
  run(process.execPath, [...options, ...(await makeSuites(files))], { env });
}

/** Runs the tests that need no SQLite on another version of Node. */
function testOnNode([version, ...words]) {
  const node = otherNode(version) ?? fail(`Node ${version} could not be installed.`);
  const folders = WITHOUT_SQLITE.map((folder) => join('build', 'test', ...folder.split('/')) + sep);
  const files = testFiles(words).filter((file) => folders.some((folder) => file.startsWith(folder)));
  if (files.length === 0) fail(`No test file that needs no SQLite has ${words.join(' or ')} in its path.`);
  say(`Running ${files.length} test files on Node ${version}; those that need SQLite are left out …`);
  run(node, [...TEST_OPTIONS, '--test-concurrency=4', ...files]);
}

/** Runs the conformance tests with hubs that share a store. */
function conformance([store = 'etcd']) {
  const files = testFiles([`${join('test', 'conformance')}${sep}`]);
  const env = { ...process.env, TEST_HUB: store };
  run(process.execPath, [...TEST_OPTIONS, '--test-concurrency=2', ...files], { env });
}

/** What `npm run fuzz -- --count 100000 --seed 5` asks for; null if that is nothing that there is. */
function fuzzOptions(args) {
  try {
    const options = { count: { type: 'string', default: '1000000' }, seed: { type: 'string' } };
    const { values } = parseArgs({ args, options });
    return Object.values(values).every((value) => /^[0-9]{1,15}$/.test(value)) ? values : null;
  } catch {
    // The usage says what is possible.
    return null;
  }
}

function fuzz(args) {
  const { count, seed } = fuzzOptions(args);
  say(`Sending ${count} frames and requests …`);
  const env = { ...process.env, FUZZ_COUNT: count, ...(seed === undefined ? {} : { FUZZ_SEED: seed }) };
  const file = join('build', 'test', 'fuzz', 'hub.test.js');
  run(process.execPath, ['--enable-source-maps', '--test-reporter=spec', file], { env });
}

function check() {
  say('Checking the format …');
  tool('prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn');
  say('Checking with the linter …');
  tool('eslint/bin/eslint.js', '.');
  say('Checking who imports whom …');
  tool('dependency-cruiser/bin/dependency-cruise.mjs', 'src', 'web', '--config', '.dependency-cruiser.mjs');
  say('Checking the types …');
  tool('typescript/bin/tsc', '-p', 'tsconfig.json');
  tool('typescript/bin/tsc', '-p', join('web', 'tsconfig.json'));
}

const nothing = () => [];

/**
 * The commands. Each has
 * - `steps`: what it needs besides packages;
 * - `work`: does it, with the arguments that follow the command;
 * - `usage`, `accepts`: which arguments those are, if not any.
 */
const COMMANDS = {
  install: { steps: nothing, work: nothing },
  start: { steps: staleBuildSteps, work: become('command', 'main.js') },
  demo: { steps: staleBuildSteps, work: become('demo', 'main.js') },
  cluster: { steps: staleBuildSteps, work: become('demo', 'cluster', 'main.js') },
  build: { steps: buildSteps, work: nothing },
  test: { steps: wholeBuildSteps, work: test },
  'test:node': {
    steps: wholeBuildSteps,
    work: testOnNode,
    usage: '<version of Node, e.g. 24> [words in the paths of test files]',
    accepts: ([version = '']) => /^\d+(\.\d+){0,2}$/.test(version),
  },
  faults: { steps: wholeBuildSteps, work: () => test(['faults'], { ...process.env, FAULTS: 'full' }) },
  conformance: {
    steps: wholeBuildSteps,
    work: conformance,
    // `test/support/hubs/hubs.ts` knows them.
    usage: '[sqlite|etcd|etcd3]: what the hubs share',
    accepts: ([store = 'etcd']) => ['sqlite', 'etcd', 'etcd3'].includes(store),
  },
  fuzz: {
    steps: wholeBuildSteps,
    work: fuzz,
    usage: '[--count <frames and requests>] [--seed <whole number>]',
    accepts: (args) => fuzzOptions(args) !== null,
  },
  simulate: { steps: wholeBuildSteps, work: program('test', 'simulation', 'main.js') },
  bench: { steps: wholeBuildSteps, work: program('bench', 'main.js') },
  attack: { steps: wholeBuildSteps, work: program('bench', 'attack', 'main.js') },
  check: { steps: nothing, work: check },
  format: { steps: nothing, work: () => tool('prettier/bin/prettier.cjs', '--write', '.') },
};

if (nodeVersion < 20) fail(`Node 20 or newer is needed; this is ${process.version}.`);
if (!Object.hasOwn(COMMANDS, command ?? ''))
  fail(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')}`);
const { steps, work, usage, accepts } = COMMANDS[command];
if (accepts?.(rest) === false) fail(`usage: npm run ${command} -- ${usage}`);
try {
  await runSteps([...installSteps(), ...steps()]);
} catch (error) {
  if (!(error instanceof ProgramError)) throw error;
  say(error.message);
  process.exit(error.status);
}
await work(rest);
