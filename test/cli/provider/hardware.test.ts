import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { prepareAdvertisement } from '../../../src/client/content.js';
import {
  type AdvertisementFlags,
  buildAdvertisement,
  withAdvertisementFlags,
} from '../../../src/cli/provider/advertisement-flags.js';
import { findHardware, readGpus } from '../../../src/cli/provider/hardware.js';
import { scratchFolder } from '../../process/hub-process.js';

test('what nvidia-smi says about GPUs is read, and what else it may write is not', () => {
  const said = [
    'NVIDIA GeForce RTX 4090, 24564',
    'NVIDIA A100-SXM4-80GB, 81920 MiB\r',
    'NVIDIA GB10, [N/A]',
    'Tesla T4,15360',
    'Quadro, with a comma, 8192',
    '',
    'Warning: infoROM is corrupted at gpu 0000:01:00.0',
    'No devices were found',
  ].join('\n');
  assert.deepEqual(readGpus(said), [
    { model: 'RTX 4090', memoryGb: 24 },
    { model: 'A100-SXM4-80GB', memoryGb: 80 },
    { model: 'GB10', memoryGb: null },
    { model: 'Tesla T4', memoryGb: 15 },
    { model: 'Quadro, with a comma', memoryGb: 8 },
  ]);
  const [hostile] = readGpus(`\u001b[31m${'x'.repeat(200)}\u0007, 1024`);
  assert.equal(hostile!.model.length, 64);
  assert.doesNotMatch(hostile!.model, /\p{C}/u);
});

test('GPUs that are alike have their model said; a program that is missing, fails or hangs is no GPU', async (t) => {
  const folder = scratchFolder(t);
  const find = async (script: string, timeoutMs?: number): ReturnType<typeof findHardware> => {
    const path = join(folder, 'smi');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return findHardware(path, timeoutMs);
  };
  const two = await find('echo "NVIDIA RTX A6000, 49140"; echo "NVIDIA RTX A6000, 49140"');
  const { cpu_model: _, ...ofGpus } = two.attributes;
  assert.deepEqual([two.gpus, ofGpus], [2, { gpu_model: 'RTX A6000', gpu_memory_gb: 48 }]);
  const mixed = await find('echo "A, 1024"; echo "B, 2048"');
  assert.deepEqual([mixed.gpus, mixed.attributes['gpu_model']], [2, undefined]);
  assert.equal((await find('echo "A, 1024"; exit 9')).gpus, 0);
  assert.equal((await find('exec sleep 600', 50)).gpus, 0);
  assert.equal(
    (await find('while :; do echo "A, 1024"; done')).gpus,
    0,
    'more output than any machine has GPUs',
  );
  assert.equal((await findHardware(join(folder, 'nothing'))).gpus, 0);
});

test('flags go before the file, and that before what was found; an empty value takes a fact back', (t) => {
  const folder = scratchFolder(t);
  const file = join(folder, 'offer.json');
  writeFileSync(
    file,
    '{"country":"SE","ip_address":"203.0.113.7","attributes":{"disk":"hdd","rack":7,"cpu_model":"said"}}',
  );
  const build = (...args: string[]): ReturnType<typeof buildAdvertisement> => {
    const command = withAdvertisementFlags(new Command()).exitOverride();
    command.configureOutput({ writeErr: () => undefined });
    command.parse(['--folder', folder, '--file', file, ...args], { from: 'user' });
    assert.equal(command.opts<AdvertisementFlags>().detect, true);
    const hardware = { gpus: 2, attributes: { cpu_model: 'found', gpu_model: 'RTX 4090' } };
    return buildAdvertisement(command.opts<AdvertisementFlags>(), hardware);
  };
  const said = build(
    '--attr',
    'disk=nvme',
    '--attr',
    'tee=true',
    '--attr',
    'slot="7"',
    '--attr',
    'gpu_model=',
    '--attr',
    'bandwidth_mbps=1e3',
  );
  assert.deepEqual(said.attributes, {
    cpu_model: 'said',
    disk: 'nvme',
    rack: 7,
    tee: true,
    slot: '7',
    bandwidth_mbps: 1000,
  });
  assert.equal(said.resources['gpu'], 2);
  assert.equal(build('--resource', 'gpu=1').resources['gpu'], 1);
  assert.throws(() => build('--attr', 'disk'), /name=value/);
  assert.throws(
    () => prepareAdvertisement(build('--attr', 'Disk=x')),
    /attributes\.Disk: is not an attribute name/,
  );
});
