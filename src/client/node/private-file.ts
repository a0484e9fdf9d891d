import { type FileHandle, open, unlink } from 'node:fs/promises';
import { DiscoveryError } from '../errors.js';

/** The largest file to read as a key; real ones have a few hundred bytes at most. */
const MAX_FILE_BYTES = 64 * 1024;
const FOR_OTHERS = 0o077;

/**
 * Writes a new file that only its owner may read (mode 0600).
 * @throws DiscoveryError `KEY` if the file already exists (it is never overwritten) or cannot be written.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (cause) {
    const message =
      codeOf(cause) === 'EEXIST'
        ? `${path} exists already; a key is never overwritten`
        : `the key cannot be written to ${path}: ${(cause as Error).message}`;
    throw new DiscoveryError('KEY', message, { cause });
  }
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (cause) {
    // A partial key would block the next attempt.
    await unlink(path).catch(() => undefined);
    throw new DiscoveryError('KEY', `the key cannot be written to ${path}: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await file.close();
  }
}

/**
 * Reads a file that only its owner may read (not checked on Windows), or a pipe, such as a shell makes of `<(gpg --decrypt key.gpg)`.
 * @throws DiscoveryError `KEY`
 */
export async function readPrivateFile(path: string): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const problem =
      codeOf(cause) === 'ENOENT'
        ? `there is no key file ${path}: "discovery-hub keygen --key ${path}" makes a key`
        : `the key cannot be read: ${(cause as Error).message}`;
    throw new DiscoveryError('KEY', problem, { cause });
  }
  try {
    const found = await file.stat();
    if (!found.isFile() && !found.isFIFO()) throw new DiscoveryError('KEY', `${path} is not a file`);
    const { mode } = found;
    if (process.platform !== 'win32' && (mode & FOR_OTHERS) !== 0) {
      throw new DiscoveryError(
        'KEY',
        `${path} can be read by others than its owner (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod 600 ${path}`,
      );
    }
    return await readSmall(file, path);
  } catch (error) {
    throw DiscoveryError.from(error, 'KEY');
  } finally {
    await file.close();
  }
}

/** Reads to the end: nobody knows beforehand how much a pipe brings. */
async function readSmall(file: FileHandle, path: string): Promise<string> {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  for (let length = 0; length < buffer.length;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.toString('utf8', 0, length);
    length += bytesRead;
  }
  throw new DiscoveryError('KEY', `${path} is too large to be a key`);
}

/** Whether an error means that there is no such file. */
export function isMissing(error: unknown): boolean {
  return codeOf((error as DiscoveryError).cause) === 'ENOENT';
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}
