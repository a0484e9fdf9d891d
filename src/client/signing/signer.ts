import { readProviderId } from '../../protocol/provider-id.js';
import { type KeyPair, signBytes } from '../../protocol/schemes/ed25519.js';
import { canonicalAddress } from '../../protocol/schemes/ethereum-address.js';
import { addressOf, isPrivateKey, signPersonalMessage } from '../../protocol/schemes/ethereum.js';
import { type SchemeName, schemeNamed } from '../../protocol/schemes/table.js';
import { type SignedFields, signedText } from '../../protocol/signing.js';
import { fromHex, utf8 } from '../../protocol/text.js';
import { DiscoveryError } from '../errors.js';
import { checkProviderId } from './keys.js';

/**
 * Signs for one provider: with a key it holds, or by asking whoever has it, such as a wallet. Create one with
 * `ed25519Signer`, `ethereumSigner` or `walletSigner`, or write one of your own.
 */
export interface Signer {
  /** The provider id: a key id, a name, or an Ethereum address in its EIP-55 form. */
  readonly providerId: string;
  /** The scheme: `ed25519` for names and key ids, `eip191` for Ethereum addresses. */
  readonly scheme: SchemeName;
  /** The Ed25519 public key in hex, which is sent along with the signature. Not used with `eip191`. */
  readonly publicKey?: string | undefined;
  /**
   * Signs a text: its UTF-8 bytes with Ed25519, or as a personal message with EIP-191.
   * @returns The signature in hex, or a promise of it.
   * @throws Error if it cannot sign, or its user declines.
   */
  sign(text: string): string | Promise<string>;
}

/**
 * Signs with an Ed25519 key.
 * @param providerId A name that the key owns, or will own after its first use; by default the public key itself.
 * @throws DiscoveryError `AUTH_001` or `AUTH_004` if the key cannot own the id.
 */
export function ed25519Signer(key: KeyPair, providerId: string = key.publicKey): Signer {
  checkProviderId(providerId, key);
  return {
    providerId,
    scheme: 'ed25519',
    publicKey: key.publicKey,
    sign: (text) => signBytes(utf8(text), key),
  };
}

const PRIVATE_KEY_PATTERN = /^(?:0x)?[0-9a-fA-F]{64}$/;

/**
 * Signs with the private key of an Ethereum account; its address is the provider id.
 * @param privateKey 32 bytes, or 64 hex digits with or without `0x`.
 * @throws DiscoveryError `KEY` if it is no private key.
 */
export function ethereumSigner(privateKey: Uint8Array | string): Signer {
  const bytes =
    typeof privateKey !== 'string'
      ? Uint8Array.from(privateKey)
      : PRIVATE_KEY_PATTERN.test(privateKey)
        ? fromHex(privateKey.slice(-64).toLowerCase())
        : null;
  if (bytes?.length !== 32 || !isPrivateKey(bytes)) {
    throw new DiscoveryError('KEY', 'the private key of an Ethereum account is 32 bytes, or 64 hex digits');
  }
  return {
    providerId: addressOf(bytes),
    scheme: 'eip191',
    sign: (text) => signPersonalMessage(utf8(text), bytes),
  };
}

/**
 * Signs with a wallet, which keeps its key to itself:
 *
 * ```ts
 * walletSigner(wallet.address, (text) => wallet.signMessage(text)); // ethers
 * walletSigner(account.address, (message) => account.signMessage({ message })); // viem
 * walletSigner(address, (text) => ethereum.request({ method: 'personal_sign', params: [hexOf(text), address] })); // a browser's
 * ```
 *
 * `personal_sign` takes the UTF-8 bytes of the text in hex, with `0x`. A hub waits 10 seconds for a session's signature, so a wallet that asks its user each time has to be quick.
 * @param address The account's address, in any spelling; its EIP-55 form is the provider id.
 * @param signMessage Signs a text as a personal message (EIP-191); returns 65 bytes in hex.
 * @throws DiscoveryError `AUTH_001` if it is no address.
 */
export function walletSigner(
  address: string,
  signMessage: (text: string) => string | Promise<string>,
): Signer {
  const providerId = canonicalAddress(address);
  if (providerId === null) {
    throw new DiscoveryError(
      'AUTH_001',
      `${JSON.stringify(address.slice(0, 128))} is not an Ethereum address: 0x and 40 hex digits, where upper and lower case are mixed with a valid checksum (EIP-55)`,
    );
  }
  return { providerId, scheme: 'eip191', sign: (text) => signMessage(text) };
}

/** Converts a key pair or a signer to a signer. */
export function signerFrom(key: KeyPair | Signer, providerId: string | undefined): Signer {
  if (!('sign' in key)) return ed25519Signer(key, providerId);
  const id = readProviderId(key.providerId);
  if (id?.id !== key.providerId || id.scheme.name !== key.scheme) {
    throw new DiscoveryError(
      'AUTH_001',
      `${JSON.stringify(key.providerId.slice(0, 128))} is not the canonical form of a provider id that signs with ${key.scheme}`,
    );
  }
  if (providerId !== undefined && providerId !== key.providerId) {
    throw new DiscoveryError(
      'AUTH_004',
      `the signer speaks for ${key.providerId}, and not for ${providerId}`,
    );
  }
  return key;
}

/**
 * Signs, and brings the signature into canonical form. The result of a synchronous signer is used synchronously, so that nothing can come in
 * between.
 * @param failed Called with a `KEY` error if there is no signature.
 */
export function signWith(
  signer: Signer,
  fields: Omit<SignedFields, 'providerId' | 'payload'> & { payload: string },
  signed: (signature: string) => void,
  failed: (error: DiscoveryError) => void,
): void {
  const fail = (cause: unknown): void => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    failed(new DiscoveryError('KEY', `${signer.providerId} did not sign: ${reason}`, { cause }));
  };
  const take = (answer: unknown): void => {
    const signature =
      typeof answer === 'string'
        ? schemeNamed(signer.scheme)?.canonicalSignature(answer.toLowerCase())
        : null;
    if (signature === null || signature === undefined) fail(new Error('what it returned is no signature'));
    else signed(signature);
  };
  let answer: string | Promise<string>;
  try {
    answer = signer.sign(signedText({ ...fields, providerId: signer.providerId }));
  } catch (error) {
    fail(error);
    return;
  }
  if (typeof answer === 'string') take(answer);
  else void Promise.resolve(answer).then(take, fail);
}
