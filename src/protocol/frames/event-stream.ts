import { type Codec, CODECS, concat, json, type WireName } from './codec.js';
import { utf8 } from '../text.js';

const END = utf8('\n\n');

/**
 * Server-sent events, as HTML defines them: JSON frames, each in an event that has the frame's type for a name and its
 * cursor for an id. JSON has no line breaks of its own here.
 */
export const EVENT_STREAM: Codec = {
  ...json,
  name: 'events',
  wrap({ type, cursor }, frame) {
    const id = cursor === null ? '' : `id: ${cursor}\n`;
    return concat([utf8(`event: ${type}\n${id}data: `), frame, END]);
  },
};

/** All forms in which frames of streams leave the hub. */
export const WIRES: Readonly<Record<WireName, Codec>> = { ...CODECS, events: EVENT_STREAM };

/** Has a reader come back after so many milliseconds when the stream ends. */
export function retryAfter(ms: number): Uint8Array {
  return utf8(`retry: ${String(ms)}\n\n`);
}

/** A comment: tells the reader, and whatever stands between, that the stream is alive. */
export const COMMENT = utf8(':\n\n');

/** Makes a reader forget from where it could resume. */
export const FORGET = utf8('id:\n\n');
