import { type Codec, CODECS, concat, json, type WireName } from './codec.js';
import { utf8 } from '../text.js';

const END = utf8('\n\n');

/**
 * Server-sent events, as defined by HTML: each JSON frame is the data of an event, with the frame's type as its name and the cursor as its
 * id. The JSON contains no line breaks.
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

/** Tells a reader how many milliseconds to wait before reconnecting. */
export function retryAfter(ms: number): Uint8Array {
  return utf8(`retry: ${String(ms)}\n\n`);
}

/** A comment, to tell the reader and any proxies that the stream is alive. */
export const COMMENT = utf8(':\n\n');

/** Clears the reader's last event id, so that it cannot resume. */
export const FORGET = utf8('id:\n\n');
