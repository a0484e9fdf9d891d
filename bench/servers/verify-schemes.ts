/** The rate of one verifier thread of the hub: verifies signatures of one scheme, one after the other, on one thread. */
import { keyPairFromSeed, signBytes } from '../../src/protocol/schemes/ed25519.js';
import { addressOf, signPersonalMessage } from '../../src/protocol/schemes/ethereum.js';
import { type SchemeName, schemeNamed } from '../../src/protocol/schemes/table.js';
import { signedBytes } from '../../src/protocol/signing.js';
import { withOpenssl } from '../../src/registry/write/verifier/ed25519.js';
import { withNoble } from '../../src/registry/write/verifier/eip191.js';
import { loadVerifiers } from '../../src/registry/write/verifier/libraries.js';
import type { VerifyBytes } from '../../src/registry/write/verifier/verify-bytes.js';
import { payloadOf, providerAt } from '../data/providers.js';
import { serveCalls } from '../rpc.js';

export interface VerifySchemesCalls {
  /** Verifies for some seconds; returns the rate per second. */
  verify: (input: { scheme: SchemeName; by: 'hub' | 'fallback'; seconds: number }) => number;
}

interface Signed {
  bytes: Buffer;
  key: Buffer;
  signature: Buffer;
}

const SIGNERS = 32;
const VERIFIERS = {
  hub: loadVerifiers(),
  fallback: { ed25519: withOpenssl(), eip191: withNoble() } satisfies Record<SchemeName, VerifyBytes>,
};

function signedBy(name: SchemeName): Signed[] {
  const scheme = schemeNamed(name)!;
  return Array.from({ length: SIGNERS }, (_, index) => {
    const secret = Buffer.alloc(32, index + 1);
    const pair = keyPairFromSeed(secret);
    const providerId = name === 'ed25519' ? pair.publicKey : addressOf(secret);
    const payload = payloadOf(providerAt(index));
    const bytes = signedBytes({ action: 'advertise', providerId, t: 1_740_063_600_000, payload });
    const signature = name === 'ed25519' ? signBytes(bytes, pair) : signPersonalMessage(bytes, secret);
    return {
      bytes: Buffer.from(bytes),
      key: Buffer.from(scheme.keyHex(providerId), 'hex'),
      signature: Buffer.from(signature, 'hex'),
    };
  });
}

const signatures: Readonly<Record<SchemeName, Signed[]>> = {
  ed25519: signedBy('ed25519'),
  eip191: signedBy('eip191'),
};

serveCalls<VerifySchemesCalls>({
  verify: ({ scheme, by, seconds }) => {
    const verify = VERIFIERS[by][scheme];
    const from = performance.now();
    let count = 0;
    while (performance.now() - from < seconds * 1000) {
      const { bytes, key, signature } = signatures[scheme][count % SIGNERS]!;
      if (!verify(bytes, key, signature)) throw new Error('a signature is not valid');
      count += 1;
    }
    return (count / (performance.now() - from)) * 1000;
  },
});
