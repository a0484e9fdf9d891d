/** Says whether a signature is valid. Key and signature have the lengths of their scheme; never throws. */
export type VerifyBytes = (bytes: Buffer, publicKey: Buffer, signature: Buffer) => boolean;
