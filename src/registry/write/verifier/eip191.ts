import { createRequire } from 'node:module';
import {
  addressDigits,
  EIP191,
  personalMessageHash,
  recoveryId,
} from '../../../protocol/schemes/ethereum.js';
import type { VerifyBytes } from './verify-bytes.js';

/** The little that is used of the package `secp256k1`. */
interface Bindings {
  /** Writes the public key to `output` (65 bytes). @throws Error when there is none. */
  ecdsaRecover(
    signature: Uint8Array,
    recoveryId: number,
    hash: Uint8Array,
    compressed: false,
    output: Uint8Array,
  ): Uint8Array;
}

/** The fastest there is on this machine. */
export function loadVerifyEip191(): VerifyBytes {
  return loadLibsecp256k1() ?? withNoble();
}

/**
 * libsecp256k1, over ten times as fast as JavaScript; null where there is no binary of it. The package's own way in would
 * fall back to a slow library instead of saying so.
 */
export function loadLibsecp256k1(): VerifyBytes | null {
  let library: Bindings;
  try {
    library = createRequire(import.meta.url)('secp256k1/bindings') as Bindings;
  } catch {
    return null;
  }
  const signer = new Uint8Array(65);
  return (bytes, address, signature) => {
    const recovery = recoveryId(signature[64]!);
    if (recovery === undefined) return false;
    try {
      library.ecdsaRecover(signature.subarray(0, 64), recovery, personalMessageHash(bytes), false, signer);
    } catch {
      // Not every r is the coordinate of a point.
      return false;
    }
    return addressDigits(signer) === address.toString('hex');
  };
}

/** What clients verify with. */
export function withNoble(): VerifyBytes {
  return (bytes, address, signature) =>
    EIP191.verify(bytes, `0x${address.toString('hex')}`, signature.toString('hex'));
}
