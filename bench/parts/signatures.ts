import type { Bench, Family, Outcome, PartInfo } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { SchemeName } from '../../src/protocol/schemes/table.js';
import type { VerifySchemesCalls } from '../servers/verify-schemes.js';

const ROUNDS = 4;
const SECONDS = 0.5;

interface SchemePart extends PartInfo {
  scheme: SchemeName;
}

const PARTS: readonly SchemePart[] = [
  {
    name: 'signatures-ed25519',
    scheme: 'ed25519',
    work: 'Ed25519 signatures verified on one thread',
    baseline: 'OpenSSL, the fallback',
    unit: 'per second',
    aim: null,
  },
  {
    name: 'signatures-eip191',
    scheme: 'eip191',
    work: 'Ethereum signatures verified on one thread',
    baseline: 'noble, the fallback',
    unit: 'per second',
    aim: { of: 'figure', sense: 'at least', value: 6000 },
  },
];

/** The cost of verification alone, with the library that the hub uses here and with its fallback. */
export const signatures: Family = {
  title: 'signatures',
  parts: PARTS,
  async run(bench, wanted) {
    const program = new Program(bench, 'verifying', './servers/verify-schemes.js', [], { calls: true });
    const remote = new Remote<VerifySchemesCalls>(program.child, program.error);
    const outcomes: Outcome[] = [];
    for (const part of PARTS.filter(({ name }) => wanted.has(name)))
      outcomes.push(await measureScheme(bench, remote, part));
    await program.end();
    return outcomes;
  },
};

async function measureScheme(
  bench: Bench,
  remote: Remote<VerifySchemesCalls>,
  { name, scheme }: SchemePart,
): Promise<Outcome> {
  bench.say(`verifying ${scheme}`);
  const ask = (by: 'hub' | 'fallback', seconds: number): Promise<number> =>
    remote.call('verify', { scheme, by, seconds: bench.size(seconds) });
  await ask('hub', SECONDS);
  await ask('fallback', SECONDS);
  let hub = 0;
  let baseline = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    hub += (await ask('hub', SECONDS)) / ROUNDS;
    baseline += (await ask('fallback', SECONDS)) / ROUNDS;
  }
  return { name, hub, baseline, loadShare: null, baselineLoadShare: null, longestStopMs: null, note: '' };
}
