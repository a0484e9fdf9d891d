import { LIMITS } from '../limits.js';

/**
 * Scans MessagePack bytes without building anything, and returns what is wrong with them: null if they are exactly one value of plain types
 * (nil, booleans, numbers, strings, binary, arrays, maps with string keys) within the limits on depth and count. Extension types are refused,
 * because decoders give them meanings (records, dates, regular expressions) that this protocol has no use for.
 * @param maxValues How many values there may be; by default as many as a hub accepts.
 */
export function findMsgpackProblem(bytes: Uint8Array, maxValues: number = LIMITS.maxValues): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // How many values are still due in each open container; the frame itself is a container of one.
  const due = [1];
  // Whether the container at each depth is a map, whose entries are pairs of key and value.
  const isMap = [false];
  let position = 0;
  let values = 0;

  while (due.length > 0) {
    const depth = due.length - 1;
    if (due[depth] === 0) {
      due.pop();
      isMap.pop();
      continue;
    }
    if (position >= bytes.length) return 'it ends too early';
    const isKey = isMap[depth] === true && due[depth]! % 2 === 0;
    due[depth]! -= 1;
    // A member counts once, as in JSON.
    if (!isKey) values += 1;
    if (values > maxValues) return `it has more than ${String(maxValues)} values`;

    const lead = bytes[position]!;
    const layout = layoutOf(lead);
    if (layout === null) return `it holds type 0x${lead.toString(16)}; extension types are not accepted`;
    const { sizeBytes, fixed, kind } = layout;
    if (position + 1 + sizeBytes > bytes.length) return 'it ends too early';
    const size = sizeBytes === 0 ? fixed : readSize(view, position + 1, sizeBytes);
    position += 1 + sizeBytes;
    if (isKey && kind !== 'string') return 'it has a map key that is not a string';

    if (kind === 'array' || kind === 'map') {
      if (depth + 1 > LIMITS.maxDepth) return `it is nested deeper than ${String(LIMITS.maxDepth)} levels`;
      const count = kind === 'map' ? 2 * size : size;
      if (count > bytes.length - position) return 'it declares more elements than it has bytes';
      due.push(count);
      isMap.push(kind === 'map');
    } else {
      if (size > bytes.length - position) return 'it declares a longer value than it has bytes';
      position += size;
    }
  }
  return position === bytes.length ? null : 'it has bytes behind its end';
}

type Kind = 'scalar' | 'string' | 'array' | 'map';

interface Layout {
  kind: Kind;
  /** Bytes of the length field behind the lead byte. */
  sizeBytes: number;
  /** Without a length field: bytes that follow, or elements. */
  fixed: number;
}

function layoutOf(lead: number): Layout | null {
  if (lead < 0x80 || lead >= 0xe0) return { kind: 'scalar', sizeBytes: 0, fixed: 0 };
  if (lead < 0x90) return { kind: 'map', sizeBytes: 0, fixed: lead & 0x0f };
  if (lead < 0xa0) return { kind: 'array', sizeBytes: 0, fixed: lead & 0x0f };
  if (lead < 0xc0) return { kind: 'string', sizeBytes: 0, fixed: lead & 0x1f };
  return TYPED[lead] ?? null;
}

const scalar = (fixed: number): Layout => ({ kind: 'scalar', sizeBytes: 0, fixed });
const sized = (kind: Kind, sizeBytes: number): Layout => ({ kind, sizeBytes, fixed: 0 });

const TYPED: Readonly<Record<number, Layout>> = {
  0xc0: scalar(0),
  0xc2: scalar(0),
  0xc3: scalar(0),
  0xc4: sized('scalar', 1),
  0xc5: sized('scalar', 2),
  0xc6: sized('scalar', 4),
  0xca: scalar(4),
  0xcb: scalar(8),
  0xcc: scalar(1),
  0xcd: scalar(2),
  0xce: scalar(4),
  0xcf: scalar(8),
  0xd0: scalar(1),
  0xd1: scalar(2),
  0xd2: scalar(4),
  0xd3: scalar(8),
  0xd9: sized('string', 1),
  0xda: sized('string', 2),
  0xdb: sized('string', 4),
  0xdc: sized('array', 2),
  0xdd: sized('array', 4),
  0xde: sized('map', 2),
  0xdf: sized('map', 4),
};

function readSize(view: DataView, position: number, sizeBytes: number): number {
  if (sizeBytes === 1) return view.getUint8(position);
  return sizeBytes === 2 ? view.getUint16(position) : view.getUint32(position);
}
