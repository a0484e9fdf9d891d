// Does by hand what the Dockerfile does, where there is no container engine: each step in order, in an empty folder, as the present
// user; then runs the result as the first process of a process namespace on a read-only folder, sends it requests, and stops it.
// `npm run image` prints what each step took and what the image weighs without its base. It knows the instructions that the Dockerfile has, and
// fails on any other.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { basename, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const work = join(root, 'build', 'image');
const PORT = '7466';

/** The folders of the image that its steps name. */
const PLACES = /(?<!\w)\/(?=(?:hub|data)\b)/g;
const ignored = readFileSync('.dockerignore', 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`));

/** What is copied from the project's folder. */
const isSent = (path) => !ignored.some((pattern) => pattern.test(path));

/** A stage of the image: its files lie in a folder, and paths of the image are read as paths in it. */
class Stage {
  constructor(name) {
    this.folder = join(work, name);
    this.cwd = this.folder;
    this.env = { ...process.env };
    delete this.env.NODE_ENV;
    mkdirSync(this.folder, { recursive: true });
  }

  /** Puts the paths of the image where they lie here. */
  in(text) {
    return text.replace(PLACES, `${this.folder}/`);
  }

  place(path) {
    return path.startsWith('/') ? join(this.folder, path) : join(this.cwd, path);
  }
}

const stages = new Map();
let stage;
const meant = {};

const steps = {
  FROM(text) {
    const [, , name = 'image'] = /^(\S+)(?: AS (\S+))?$/.exec(text);
    stage = new Stage(name);
    stages.set(name, stage);
  },
  WORKDIR(path) {
    stage.cwd = stage.place(path);
    mkdirSync(stage.cwd, { recursive: true });
  },
  ENV(text) {
    for (const [, name, value] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = stage.in(value);
  },
  COPY(text) {
    const words = text.split(/\s+/);
    const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
    const paths = words.filter((word) => !word.startsWith('--'));
    const target = paths.pop();
    for (const path of paths) {
      const source = from === undefined ? resolve(path) : stages.get(from).place(path);
      if (path === '.') {
        for (const name of readdirSync(source).filter(isSent))
          cpSync(join(source, name), join(stage.place(target), name), { recursive: true });
        continue;
      }
      const into = /\/$/.test(target) || paths.length > 1;
      cpSync(source, into ? join(stage.place(target), basename(path)) : stage.place(target), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
  },
  RUN(text) {
    if (text.startsWith('apt-get')) return 'left out: this machine has what it has';
    // The users of an image are not here.
    const script = `chown() { :; }\n${stage.in(text)}`;
    const { status } = spawnSync('sh', ['-ec', script], { cwd: stage.cwd, env: stage.env, stdio: 'inherit' });
    if (status !== 0) fail(`this step failed with status ${status}`);
    return undefined;
  },
  USER: () => 'left out: the present user runs it',
  VOLUME: () => undefined,
  EXPOSE: () => undefined,
  HEALTHCHECK(text) {
    meant.health = JSON.parse(text.slice(text.indexOf('[')));
  },
  ENTRYPOINT(text) {
    meant.entry = JSON.parse(text);
  },
  CMD(text) {
    meant.command = JSON.parse(text);
  },
};

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

/** The Dockerfile's instructions, those over several lines joined. */
function instructions() {
  return readFileSync('Dockerfile', 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => /^(\w+)\s+(.*)$/.exec(line).slice(1));
}

/** Megabytes of all files below a folder. */
function megabytes(folder) {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = lstatSync(join(folder, name));
    if (file.isFile()) bytes += file.size;
  }
  return (bytes / 1e6).toFixed(1);
}

function build() {
  rmSync(work, { recursive: true, force: true });
  for (const [instruction, text] of instructions()) {
    const step = steps[instruction] ?? fail(`${instruction} is not known here`);
    console.log(`${instruction} ${text}`);
    const began = performance.now();
    const note = step(text);
    const seconds = (performance.now() - began) / 1000;
    if (note !== undefined) console.log(`  ${note}`);
    else if (seconds > 0.5) console.log(`  ${seconds.toFixed(0)} s`);
  }
  const { folder } = stage;
  for (const part of ['package.json', 'dist', 'node_modules']) {
    const path = join(folder, 'hub', part);
    if (!existsSync(path)) fail(`the image has no /hub/${part}`);
    if (part !== 'package.json') console.log(`/hub/${part}: ${megabytes(path)} MB`);
  }
  const uws = readdirSync(join(folder, 'hub/node_modules/uWebSockets.js/dist/bin'));
  console.log(`binaries of uWebSockets.js: ${uws.filter((name) => name.endsWith('.node')).join(', ')}`);
}

/** What a browser is answered. */
function statusOf(path) {
  const headers = { accept: 'text/html,*/*' };
  return new Promise((done, failed) => {
    get({ port: PORT, path, headers }, (response) => done(response.resume().statusCode)).on('error', failed);
  });
}

/** Runs the image's command as the first process of a namespace, on a read-only folder, as compose.yaml does. */
async function tryOut() {
  const { folder } = stage;
  const env = { ...stage.env, DISCOVERY_PORT: PORT, DISCOVERY_HOST: '127.0.0.1' };
  const command = [...meant.entry, ...meant.command].map((word) => stage.in(word));
  const script = 'hub=$0; mount --bind "$hub" "$hub" && mount -o remount,bind,ro "$hub" && exec "$@"';
  const args = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const outer = spawn('unshare', [...args, 'sh', '-c', script, join(folder, 'hub'), ...command], {
    cwd: join(folder, 'data'),
    env,
    stdio: 'inherit',
  });
  const ended = new Promise((done) => outer.once('close', done));
  const isHealthy = () =>
    spawnSync(meant.health[0], meant.health.slice(1), { env, stdio: 'ignore' }).status === 0;
  const began = performance.now();
  while (!isHealthy()) {
    if (outer.exitCode !== null || performance.now() - began > 30_000) fail('it did not become healthy');
    await delay(100);
  }
  console.log(`healthy after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  for (const path of ['/api/v1/advertisements', '/docs', '/client.js', '/']) {
    console.log(`GET ${path}: ${await statusOf(path)}`);
  }
  const [inner] = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(inner), 'SIGTERM');
  const status = await ended;
  console.log(`stopped by SIGTERM as process 1, with status ${status}`);
  if (status !== 0) process.exitCode = 1;
}

build();
await tryOut();
