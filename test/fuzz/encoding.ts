import { Packr } from 'msgpackr';
import type { CodecName } from '../support/hubs/test-hub.js';

/** As somebody's library may be set up: it writes dates and large integers in its own way. */
const packr = new Packr({ useRecords: false, largeBigIntToFloat: true, useToJSON: false });

const MARK = '\u{10ffff}number:';
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'gu');

/** JSON has numbers of any size, which JavaScript does not write: they go through as marked texts. */
function spell(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${MARK}${String(value)}`;
  if (value === Infinity) return `${MARK}1e400`;
  if (value === -Infinity) return `${MARK}-1e400`;
  return Object.is(value, -0) ? `${MARK}-0` : value;
}

/** The bytes of any value that the fuzzer makes, well-formed or not. */
export function encodeFrame(codec: CodecName, value: unknown): Buffer {
  // There is nothing left of it.
  if (value === undefined) return Buffer.alloc(0);
  if (codec === 'msgpack') return packr.pack(value);
  return Buffer.from(JSON.stringify(value, spell).replace(MARKED, '$1'));
}
