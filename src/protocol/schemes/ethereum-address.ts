import { keccak_256 } from '@noble/hashes/sha3';
import { toHex, utf8 } from '../text.js';

/** Matches every Ethereum address, and texts whose checksum is wrong. */
export const ADDRESS_PATTERN = /^0x[0-9a-fA-F]{40}$/;

/** The EIP-55 form of an address given as 40 lower-case hex digits: the case of its letters is a checksum. */
export function checksummed(digits: string): string {
  const hash = toHex(keccak_256(utf8(digits)));
  let address = '0x';
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charAt(at);
    address += hash.charAt(at) >= '8' ? digit.toUpperCase() : digit;
  }
  return address;
}

/**
 * Parses an Ethereum address: all in lower case, all in upper case, or with its checksum.
 * @returns Its EIP-55 form; null if it is no address, or its checksum is wrong.
 */
export function canonicalAddress(text: string): string | null {
  if (!ADDRESS_PATTERN.test(text)) return null;
  const digits = text.slice(2);
  const lower = digits.toLowerCase();
  const canonical = checksummed(lower);
  return digits === lower || digits === digits.toUpperCase() || text === canonical ? canonical : null;
}
