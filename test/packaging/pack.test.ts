import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HubProcess, scratchFolder } from '../process/hub-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const USE = `import { generateKey, ProviderSession, verifyProof, watch, type PublishedAdvertisement } from 'vm-discovery-hub/client';
const key = generateKey();
const advertisement = { ip_address: '203.0.113.7', country: 'SE', resources: { cpu: 4, memory: 8, storage: 40 } };
const session: ProviderSession = new ProviderSession('http://localhost:1', { key, advertisement });
const matches = watch('http://localhost:1', { cpu: 2, country: ['SE'] });
const held: ReadonlyMap<string, PublishedAdvertisement> = matches.providers;
void matches.stop();
console.log(session.state, held.size, typeof verifyProof);
// @ts-expect-error A filter that does not exist is refused when it is written.
export const refused = () => watch('http://localhost:1', { colour: 'red' });
`;

/** What \`npm pack\` makes, unpacked as npm installs it, with the dependencies of this checkout. */
function installPacked(folder: string): string {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed.toString()) as [{ filename: string }];
  const home = join(folder, 'node_modules', 'vm-discovery-hub');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', home, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), '@types']) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return home;
}

test('the packed package has a working command, and a client that is typed under NodeNext and Bundler', async (t) => {
  const folder = scratchFolder(t);
  const home = installPacked(folder);
  const files = readdirSync(home, { recursive: true }).map(String);
  assert.ok(
    !files.some((file) => file.endsWith('.tsbuildinfo') || file.startsWith('test') || file.startsWith('src')),
  );
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
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
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  // The declarations themselves are checked once; what differs then is only how they are found.
  for (const [module, resolution, ...more] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler', '--skipLibCheck'],
  ] as const) {
    const options = [
      '--strict',
      '--target',
      'ES2022',
      '--types',
      'node',
      '--module',
      module,
      '--moduleResolution',
      resolution,
      ...more,
    ];
    execFileSync(process.execPath, [tsc, ...options, 'use.ts'], { cwd: folder, stdio: 'pipe' });
  }
  assert.equal(execFileSync(process.execPath, ['use.js'], { cwd: folder }).toString(), 'idle 0 function\n');
});
