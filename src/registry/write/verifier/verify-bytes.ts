/** Returns whether a signature is valid. Key and signature have their scheme's lengths. Never throws. */
export type VerifyBytes = (bytes: Buffer, publicKey: Buffer, signature: Buffer) => boolean;
