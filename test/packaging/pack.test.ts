import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { TestHub } from '../support/hubs/test-hub.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const USE = `import { generateKey, loadOrCreateKey, ProviderSession, verifyProof, watch, type PublishedAdvertisement } from 'vm-discovery-hub/client';
const key = generateKey();
const advertisement = { ip_address: '203.0.113.7', country: 'SE', resources: { cpu: 4, memory: 8, storage: 40 } };
const session: ProviderSession = new ProviderSession('http://localhost:1', { key, advertisement });
const matches = watch('http://localhost:1', { cpu: 2, country: ['SE'] });
const held: ReadonlyMap<string, PublishedAdvertisement> = matches.providers;
void matches.stop();
console.log(session.state, held.size, typeof verifyProof, typeof loadOrCreateKey);
// @ts-expect-error A filter that does not exist is refused when it is written.
export const refused = () => watch('http://localhost:1', { colour: 'red' });
`;

/** What `npm pack` makes of a folder, unpacked as npm installs it, with the dependencies of this checkout. */
function installPacked(source: string, folder: string): string {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: source,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, name }] = JSON.parse(packed.toString()) as [{ filename: string; name: string }];
  const home = join(folder, 'node_modules', name);
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', home, '--strip-components=1']);
  for (const dependency of [...dependenciesOf(home), '@types']) {
    const link = join(folder, 'node_modules', dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', dependency), link);
  }
  return home;
}

interface Description {
  dependencies?: Record<string, string>;
  scripts?: Record<string, string>;
}

const describe = (home: string): Description =>
  JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Description;

const dependenciesOf = (home: string): string[] => Object.keys(describe(home).dependencies ?? {});

/** What the README's TypeScript takes for granted: wallets of libraries and of browsers. */
const WALLETS = `declare const address: string;
declare const wallet: { address: string; signMessage(text: string): Promise<string> };
declare const account: { address: string; signMessage(what: { message: string }): Promise<string> };
declare const provider: { request(call: { method: string; params: unknown[] }): Promise<string> };
`;

/** Writes each piece of TypeScript in the README to a file of its own, with the client from a package, and returns their names. */
function writeExamples(folder: string, client = 'vm-discovery-hub/client'): string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  return Array.from(readme.matchAll(/^```ts\n([^]*?)^```$/gm), ([, code = ''], at) => {
    const name = `readme-${at + 1}.ts`;
    writeFileSync(
      join(folder, name),
      (code.includes('walletSigner') ? WALLETS : '') + code.replaceAll('vm-discovery-hub/client', client),
    );
    return name;
  });
}

/** Compiles files as their user does, the declarations that they find included. */
function compile(
  folder: string,
  module: 'NodeNext' | 'ESNext',
  resolution: 'NodeNext' | 'Bundler',
  files: readonly string[],
): void {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--strict', '--target', 'ES2022', '--types', 'node'];
  const modules = ['--module', module, '--moduleResolution', resolution];
  execFileSync(process.execPath, [tsc, ...options, ...modules, ...files], { cwd: folder, stdio: 'pipe' });
}

test('the packed package has a working command, and a client that is typed', async (t) => {
  const folder = scratchFolder(t);
  const home = installPacked(ROOT, folder);
  const files = readdirSync(home, { recursive: true }).map(String);
  assert.ok(
    !files.some((file) => file.endsWith('.tsbuildinfo') || file.startsWith('test') || file.startsWith('src')),
  );
  const { bin, man } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
    man: [string];
  };
  assert.match(readFileSync(join(home, man[0]), 'utf8'), /^\.TH DISCOVERY-HUB 1 /);
  const command = join(home, bin['discovery-hub']!);
  const version = execFileSync(process.execPath, [command, '--version'], { cwd: folder }).toString();
  assert.match(version, /^\d+\.\d+\.\d+\n$/);

  const env = {
    ...process.env,
    DISCOVERY_HOST: '127.0.0.1',
    DISCOVERY_PORT: '0',
    DISCOVERY_DB_URL: 'sqlite:///hub.db',
  };
  const hub = new HubProcess(process.execPath, [command], { cwd: folder, env });
  await hub.listening();
  const client = await fetch(`${hub.url}/client.js`);
  assert.deepEqual(
    [client.status, client.headers.get('content-type')],
    [200, 'text/javascript; charset=utf-8'],
  );
  assert.equal(await hub.stop(), 0);

  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'use.ts'), USE);
  const examples = writeExamples(folder);
  assert.equal(examples.length, 4);
  compile(folder, 'NodeNext', 'NodeNext', ['use.ts', ...examples]);
  assert.equal(
    execFileSync(process.execPath, ['use.js'], { cwd: folder }).toString(),
    'idle 0 function function\n',
  );
});

/** Bytes of all files below a folder. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

test('the client is a small package of its own, which runs nothing when it is installed', async (t) => {
  const folder = scratchFolder(t);
  const home = installPacked(join(ROOT, 'dist', 'vm-discovery-client'), folder);
  const installed = [home, ...dependenciesOf(home).map((name) => join(ROOT, 'node_modules', name))];
  for (const one of installed) {
    const { scripts = {} } = describe(one);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      if (one === home || script !== 'prepare') assert.equal(scripts[script], undefined, `${one} ${script}`);
    }
    assert.ok(
      one === home ||
        dependenciesOf(one).every((name) => installed.includes(join(ROOT, 'node_modules', name))),
    );
  }
  const bytes = installed.map(sizeOf).reduce((sum, size) => sum + size, 0);
  assert.ok(bytes < 15_000_000, `${String(bytes)} bytes are installed`);

  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'use.ts'), USE.replaceAll('vm-discovery-hub/client', 'vm-discovery-client'));
  compile(folder, 'ESNext', 'Bundler', ['use.ts', ...writeExamples(folder, 'vm-discovery-client')]);
  assert.equal(
    execFileSync(process.execPath, ['use.js'], { cwd: folder }).toString(),
    'idle 0 function function\n',
  );

  const page = `import { DiscoveryClient, generateKey } from 'vm-discovery-client';
    export const found = (url) => new DiscoveryClient(url).find();
    export const id = generateKey().publicKey;`;
  writeFileSync(join(folder, 'page.js'), page);
  await build({
    entryPoints: [join(folder, 'page.js')],
    outfile: join(folder, 'page.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  const bundled = (await import(pathToFileURL(join(folder, 'page.mjs')).href)) as {
    found: (url: string) => Promise<unknown[]>;
    id: string;
  };
  assert.match(bundled.id, /^[0-9a-f]{64}$/);
  const hub = await TestHub.start();
  t.after(() => hub.stop());
  assert.deepEqual(await bundled.found(hub.url), []);
});
