import { SCHEMES, type SchemeName } from '../../../protocol/schemes/table.js';
import { loadVerifyEd25519 } from './ed25519.js';
import { loadVerifyEip191 } from './eip191.js';
import type { VerifyBytes } from './verify-bytes.js';

const LOADERS: Readonly<Record<SchemeName, () => VerifyBytes>> = {
  ed25519: loadVerifyEd25519,
  eip191: loadVerifyEip191,
};

/** Loads the fastest library available on this machine for each scheme. */
export function loadVerifiers(): Readonly<Record<SchemeName, VerifyBytes>> {
  const loaded = SCHEMES.map(({ name }) => [name, LOADERS[name]()] as const);
  return Object.fromEntries(loaded) as Record<SchemeName, VerifyBytes>;
}
