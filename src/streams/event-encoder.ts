import type { Codec, WireName } from '../protocol/frames/codec.js';
import { WIRES } from '../protocol/frames/event-stream.js';
import type { RemovalReason } from '../protocol/frames/frames-down.js';
import { parseJson } from '../protocol/json.js';
import type { GoneReason } from '../registry/change-log.js';
import type { Predicate } from '../registry/store/predicate.js';
import type { Store } from '../registry/store/store.js';

/** The net effect of a difference on a subscriber that holds the earlier state. */
export type NetEvent =
  { op: 'added' | 'updated'; slot: number } | { op: 'removed'; providerId: string; reason: RemovalReason };

/**
 * The events that tell a stream's subscribers about changed providers, in order.
 * @param held The providers, and whether the subscribers hold them.
 * @param reasonOf Why a provider was last removed.
 */
export function netEvents(
  store: Store,
  predicate: Predicate,
  held: ReadonlyMap<string, boolean>,
  reasonOf: (providerId: string) => GoneReason | null,
): NetEvent[] {
  const events: NetEvent[] = [];
  for (const [providerId, isHeld] of held) {
    const slot = store.find(providerId);
    if (slot !== undefined && predicate.matches(store.attributes, slot)) {
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
  if (codec.name !== 'msgpack') return json;
  const decoded = parseJson(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'));
  if (!decoded.ok)
    throw new Error(`an advertisement rendered by this hub cannot be parsed: ${decoded.problem}`);
  return codec.encode(decoded.value);
}

/** The same for a view that is only valid until the registry changes; the result is a copy. */
export function transcodeCopy(codec: Codec, view: Uint8Array): Uint8Array {
  return codec.name === 'msgpack' ? transcode(codec, view) : Buffer.from(view);
}

/** An event with a copy of the advertisement's JSON, valid while the store changes. */
export type EventCopy =
  | { op: 'added' | 'updated'; advertisement: Uint8Array }
  | { op: 'removed'; providerId: string; reason: RemovalReason };

export function copyEvent(store: Store, event: NetEvent): EventCopy {
  return event.op === 'removed'
    ? event
    : { op: event.op, advertisement: Buffer.from(store.fragment(event.slot)) };
}

/** One member of an `events` frame. */
export function encodeEvent(codec: Codec, event: EventCopy): Uint8Array {
  return event.op === 'removed'
    ? codec.encode({ op: event.op, provider_id: event.providerId, reason: event.reason })
    : codec.extend({ op: event.op }, 'advertisement', transcode(codec, event.advertisement));
}

/** An `events` frame of encoded events. */
export function eventsFrame(
  codec: Codec,
  stream: string,
  cursor: string,
  events: readonly Uint8Array[],
): Uint8Array {
  const head = { type: 'events', stream, cursor };
  return codec.wrap(head, codec.extendList(head, 'events', events));
}

/**
 * Encodes events for one flush: each advertisement once per codec in use, however many streams it goes to. Valid only until the store
 * changes.
 */
export class EventEncoder {
  readonly #store: Store;
  readonly #advertisements: Record<WireName, Map<number, Uint8Array>> = {
    json: new Map(),
    msgpack: new Map(),
    events: new Map(),
  };

  constructor(store: Store) {
    this.#store = store;
  }

  /** An `events` frame. */
  frame(wire: WireName, stream: string, cursor: string, events: readonly NetEvent[]): Uint8Array {
    const codec = WIRES[wire];
    const items = events.map((event) =>
      event.op === 'removed'
        ? codec.encode({ op: event.op, provider_id: event.providerId, reason: event.reason })
        : codec.extend({ op: event.op }, 'advertisement', this.#advertisement(codec, event.slot)),
    );
    return eventsFrame(codec, stream, cursor, items);
  }

  #advertisement(codec: Codec, slot: number): Uint8Array {
    const known = this.#advertisements[codec.name].get(slot);
    if (known !== undefined) return known;
    const encoded = transcode(codec, this.#store.fragment(slot));
    this.#advertisements[codec.name].set(slot, encoded);
    return encoded;
  }
}
