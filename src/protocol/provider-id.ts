/**
 * The three kinds of provider id:
 * - `key`: 64 lower-case hex digits, the Ed25519 public key itself;
 * - `name`: chosen freely and bound to the first key that signs for it;
 * - `ethereum`: `0x` and 40 hex digits, reserved until such signatures can be verified.
 */
export type ProviderIdKind = 'key' | 'name' | 'ethereum';

export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const KEY_PATTERN = /^[0-9a-f]{64}$/;
const ETHEREUM_PATTERN = /^0x[0-9a-fA-F]{40}$/;

/** Tells which kind of id this is; null when it is none. */
export function providerIdKind(id: string): ProviderIdKind | null {
  if (KEY_PATTERN.test(id)) return 'key';
  if (ETHEREUM_PATTERN.test(id)) return 'ethereum';
  return NAME_PATTERN.test(id) ? 'name' : null;
}
