import { createRequire } from 'node:module';
import {
  addressDigits,
  EIP191,
  personalMessageHash,
  recoveryId,
} from '../../../protocol/schemes/ethereum.js';
import type { VerifyBytes } from './verify-bytes.js';

/** The part of the package `secp256k1` that is used. */
interface Bindings {
  /** Writes the public key to `output` (65 bytes). @throws Error if there is none. */
  ecdsaRecover(
    signature: Uint8Array,
    recoveryId: number,
    hash: Uint8Array,
    compressed: false,
    output: Uint8Array,
  ): Uint8Array;
}

/** The fastest library available on this machine. It is loaded for the first signature, which many hubs never see. */
export function loadVerifyEip191(): VerifyBytes {
  let verify: VerifyBytes | undefined;
  return (bytes, address, signature) => {
    verify ??= loadLibsecp256k1() ?? withNoble();
    return verify(bytes, address, signature);
  };
}

/**
 * libsecp256k1, over ten times as fast as JavaScript; null if there is no binary for this machine. The package's main module would
 * silently fall back to a slow library.
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

/** The library that clients use. */
export function withNoble(): VerifyBytes {
  return (bytes, address, signature) =>
    EIP191.verify(bytes, `0x${address.toString('hex')}`, signature.toString('hex'));
}
