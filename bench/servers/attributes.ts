/** Lists and matches by attributes, in this process. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CODECS } from '../../src/protocol/frames/codec.js';
import { StreamHub } from '../../src/streams/stream-hub.js';
import type { Subscriber } from '../../src/streams/stream.js';
import { parseFilter } from '../../src/protocol/filters/filter.js';
import type { AdvertisementRecord } from '../../src/registry/store/records.js';
import { systemClock } from '../../src/lib/clock.js';
import { LocalOrder } from '../../src/registry/local-order.js';
import { noLog } from '../../src/registry/log.js';
import { Registry } from '../../src/registry/registry.js';
import { payloadOf, providerAt, recordOf } from '../data/providers.js';
import { serveCalls } from '../rpc.js';

export interface AttributesCalls {
  /** Creates `count` providers with six attributes. @returns Bytes of memory per provider. */
  prepare: (providers: number) => number;
  /** Lists of ten by the value of one attribute, which 20 providers have, made a CPU second. */
  list: (lists: number) => number;
  /** CPU microseconds that a change takes, beside so many streams of different filters by an attribute: applied, matched and told. */
  change: (input: { filters: number; changes: number }) => Promise<number>;
}

const SETTINGS = { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 1024, cleanupMs: 60_000 };
/** How many providers share a rack. */
const RACK = 20;
const GPUS = ['RTX 3090', 'RTX 4090', 'A100', 'H100', 'L40S', 'MI300X'];

/** How many changes to make between flushes, as would happen in one event-loop iteration. */
const BATCH = 50;

/** A subscriber that discards everything. */
const sink: Subscriber = {
  codec: CODECS.json,
  account: { work: 0 },
  writable: true,
  send: () => undefined,
  fallBehind: (reason) => {
    throw new Error(`a subscriber fell behind: ${reason}`);
  },
  fail: () => {
    throw new Error('the hub has failed');
  },
};

let registry = new Registry(SETTINGS, systemClock);
let order = new LocalOrder();
let count = 0;
let round = 0;

function apply(record: AdvertisementRecord): void {
  order.deliver({ kind: 'advertise', record, identity: null, overSession: false, origin: null });
}

function advertised(index: number): AdvertisementRecord {
  const provider = providerAt(index);
  const attributes = {
    gpu_model: GPUS[index % GPUS.length]!,
    cpu_model: `EPYC 7${String(100 + (index % 50))}`,
    disk: index % 3 === 0 ? 'hdd' : 'nvme',
    bandwidth_mbps: 100 * (1 + (index % 40)),
    nested: index % 2 === 0,
    rack: `rack-${String(Math.floor(index / RACK))}`,
  };
  const payload = JSON.stringify({ ...(JSON.parse(payloadOf(provider)) as object), attributes });
  const record = recordOf(provider, Date.now());
  return { ...record, attributes, proof: { ...record.proof!, payload: Buffer.from(payload) } };
}

function cpuMicros(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

serveCalls<AttributesCalls>({
  prepare: (providers) => {
    order = new LocalOrder();
    registry = new Registry(SETTINGS, systemClock);
    registry.keepIn({
      ...noLog,
      deliverTo: (deliver) => {
        order.deliverTo(deliver);
      },
    });
    registry.restore.expect(providers);
    const before = usedBytes();
    count = providers;
    for (let index = 0; index < providers; index += 1) apply(advertised(index));
    return (usedBytes() - before) / providers;
  },
  list: (lists) => {
    const racks = Math.floor(count / RACK);
    const micros = cpuMicros(() => {
      for (let at = 0; at < lists; at += 1) {
        const rack = `rack-${String((at * 7919) % racks)}`;
        const filter = parseFilter({ attributes: { rack } });
        const { found } = registry.list({ filter, sort: 'id', limit: 10, after: null });
        if (found.slots.length !== 10) throw new Error(`a list of ${rack} has ${String(found.slots.length)}`);
      }
    });
    return (lists / micros) * 1_000_000;
  },
  change: async ({ filters, changes }) => {
    const hub = new StreamHub(registry, { resumeDecided: () => undefined, eventsSent: () => undefined });
    const subscriptions = Array.from({ length: filters }, (_, at) =>
      hub.subscribe(
        sink,
        1,
        parseFilter({ cpu: 1 + (at % 4), attributes: { rack: `rack-${String(at)}` } }),
        null,
      ),
    );
    const settle = async (): Promise<void> => {
      while (!subscriptions.every((one) => hub.isCurrent(one))) await new Promise(setImmediate);
    };
    await settle();
    round += 1;
    const records = Array.from({ length: changes }, (_, at) => ({
      ...advertised((at * 7919) % count),
      name: `change-${String(round)}-${String(at)}`,
    }));
    const began = process.cpuUsage();
    for (const [at, record] of records.entries()) {
      apply(record);
      if (at % BATCH === 0) await new Promise(setImmediate);
    }
    await settle();
    const { user, system } = process.cpuUsage(began);
    for (const one of subscriptions) hub.unsubscribe(one);
    return (user + system) / changes;
  },
});
