import { CODECS, type Codec, type CodecName } from '../protocol/codec.js';
import type { RemovalReason } from '../protocol/frames-down.js';
import { parseJson } from '../protocol/json.js';
import type { GoneReason } from '../registry/change-log.js';
import type { Store } from '../registry/store/store.js';
import type { Stream } from './stream.js';

/** The net effect of a difference on whoever holds the state before it. */
type NetEvent =
  { op: 'added' | 'updated'; slot: number } | { op: 'removed'; providerId: string; reason: RemovalReason };

/**
 * What the subscribers of a stream have to be told of providers that changed, in order.
 * @param held The providers, and whether the subscribers hold them.
 * @param reasonOf Why one of them went, the last time it did.
 */
export function netEvents(
  store: Store,
  stream: Stream,
  held: ReadonlyMap<string, boolean>,
  reasonOf: (providerId: string) => GoneReason | null,
): NetEvent[] {
  const events: NetEvent[] = [];
  for (const [providerId, isHeld] of held) {
    const slot = store.find(providerId);
    if (slot !== undefined && stream.predicate.matches(store.attributes, slot)) {
      events.push({ op: isHeld ? 'updated' : 'added', slot });
    } else if (isHeld) {
      const reason = slot === undefined ? (reasonOf(providerId) ?? 'expired') : 'unmatched';
      events.push({ op: 'removed', providerId, reason });
    }
  }
  return events;
}

/** An advertisement's JSON in another codec. */
export function transcode(codec: Codec, json: Uint8Array): Uint8Array {
  if (codec.name === 'json') return json;
  const decoded = parseJson(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'));
  if (!decoded.ok)
    throw new Error(`an advertisement that was rendered here cannot be read: ${decoded.problem}`);
  return codec.encode(decoded.value);
}

/**
 * Encodes events for one flush: each advertisement once for each codec in use, however many streams it goes to.
 * Good only until the store changes.
 */
export class EventEncoder {
  readonly #store: Store;
  readonly #advertisements: Record<CodecName, Map<number, Uint8Array>> = {
    json: new Map(),
    msgpack: new Map(),
  };

  constructor(store: Store) {
    this.#store = store;
  }

  /** An `events` frame. */
  frame(codecName: CodecName, stream: string, cursor: string, events: readonly NetEvent[]): Uint8Array {
    const codec = CODECS[codecName];
    const items = events.map((event) =>
      event.op === 'removed'
        ? codec.encode({ op: event.op, provider_id: event.providerId, reason: event.reason })
        : codec.extend({ op: event.op }, 'advertisement', this.#advertisement(codec, event.slot)),
    );
    return codec.extend({ type: 'events', stream, cursor }, 'events', codec.list(items));
  }

  #advertisement(codec: Codec, slot: number): Uint8Array {
    const known = this.#advertisements[codec.name].get(slot);
    if (known !== undefined) return known;
    const encoded = transcode(codec, this.#store.fragment(slot));
    this.#advertisements[codec.name].set(slot, encoded);
    return encoded;
  }
}
