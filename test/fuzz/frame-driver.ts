import assert from 'node:assert/strict';
import fc from '../support/properties.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import { CLOSE } from '../../src/protocol/frames/close-codes.js';
import { CODEC_NAMES, type CodecName } from '../support/hubs/test-hub.js';
import { type Frame, TestSocket } from '../support/clients/test-socket.js';
import { type Expectation, expectationOf, isStreamFrame, settle } from './frame-oracle.js';
import { bytesOf, damagedItem, type FrameItem, isHonest, readableItem } from './frames.js';
import type { FuzzHub } from './fuzz-hub.js';
import { inParallel } from './parallel.js';
import type { Speaker } from './speaker.js';

/** Frames that are sent one after the other, in several ways at once. */
export interface Lane {
  items: FrameItem[];
  /** Whether their connections subscribe first. */
  subscribes: boolean;
  /** Whether they are sent by providers that have authenticated, by others, or by both. */
  authenticates: readonly boolean[];
}

const lane = (items: fc.Arbitrary<FrameItem[]>, authenticates: Lane['authenticates']): fc.Arbitrary<Lane> =>
  fc.record(
    { items, subscribes: fc.boolean(), authenticates: fc.constant(authenticates) },
    { noNullPrototype: true },
  );
const readable = fc.array(readableItem, { minLength: 1, maxLength: 160, size: 'max' });
const damaged = fc.array(damagedItem, { minLength: 1, maxLength: 8, size: 'max' });

/** Lanes that are sent at the same time. */
export const frameScenario = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: lane(readable, [false, true]) },
    // Each of these frames costs a connection, and here two signatures.
    { weight: 1, arbitrary: lane(damaged, [true]) },
    { weight: 5, arbitrary: lane(damaged, [false]) },
  ),
  { minLength: 1, maxLength: 12, size: 'max' },
);

/** How one lane is sent. */
interface Way {
  items: readonly FrameItem[];
  codec: CodecName;
  authenticates: boolean;
  subscribes: boolean;
}

/** Below the number of signed requests that may wait for their answers. */
const MAX_PENDING = 40;

/** Sends the items of a lane in one way, and checks everything that comes back. */
class WayRun {
  readonly #hub: FuzzHub;
  readonly #way: Way;
  readonly #speaker: Speaker;
  #socket!: TestSocket;
  #pending: Expectation[] = [];

  constructor(hub: FuzzHub, way: Way, speaker: Speaker) {
    this.#hub = hub;
    this.#way = way;
    this.#speaker = speaker;
  }

  async run(): Promise<void> {
    await this.#open();
    for (const item of this.#way.items) {
      const { codec } = this.#way;
      const { bytes, binary } = bytesOf(item, this.#speaker, codec);
      const expected = expectationOf(bytes, binary, codec, this.#hub.transport);
      // A frame that was left alone has to succeed.
      if (isHonest(item) && item.origin.type === 'advertise' && this.#way.authenticates)
        expected.refusals = [];
      if (this.#pending.length === 0) this.#socket.cork();
      this.#socket.sendRaw(bytes, binary);
      this.#pending.push(expected);
      if (expected.closes.length > 0) {
        await this.#ends(expected.closes);
        await this.#open();
      } else if (expected.answer === 'authenticated') {
        const refused = (await this.#settle()) === 'refused';
        if (refused) {
          await this.#ends([CLOSE.authenticationFailed]);
          await this.#open();
        }
      } else if (this.#pending.length >= MAX_PENDING) {
        await this.#settle();
      }
    }
    await this.#settle();
    for (const frame of await this.#socket.settle()) assert.ok(isStreamFrame(frame), JSON.stringify(frame));
    if (this.#way.subscribes) this.#socket.close();
    else this.#socket.terminate();
    await this.#socket.closed;
  }

  /** A new connection that is as far as this lane wants it. */
  async #open(): Promise<void> {
    const { codec, authenticates, subscribes } = this.#way;
    this.#socket = await TestSocket.open(`ws://${this.#hub.host}/api/v1/ws`, codec);
    const speaker = this.#speaker;
    speaker.streams = [];
    speaker.nonce = (await this.#socket.next('welcome'))['nonce'] as string;
    if (authenticates) {
      this.#socket.send(speaker.authenticateFrame(true));
      await this.#socket.next('authenticated');
    }
    if (subscribes) {
      this.#socket.send({ type: 'subscribe', id: 'own', filter: { country: ['SE'], cpu: 2 } });
      this.#note(await this.#socket.next('subscribed'));
    }
  }

  /** Waits for the answers that are pending; `refused` when the last of them was a refusal. */
  async #settle(): Promise<'done' | 'refused'> {
    let refused = false;
    this.#socket.uncork();
    while (this.#pending.length > 0) refused = this.#take(await this.#socket.any());
    return refused ? 'refused' : 'done';
  }

  /** The hub closes with one of these codes, and has answered before what it answers at once. */
  async #ends(codes: readonly number[]): Promise<void> {
    this.#socket.uncork();
    const code = await this.#socket.closeCode();
    assert.ok(codes.includes(code), `closed with ${code}, expected ${codes.join(' or ')}`);
    const last = this.#pending.at(-1);
    for (const frame of this.#socket.frames.splice(0)) this.#take(frame);
    if (code === CLOSE.malformedFrame) {
      const unanswered = this.#pending.filter(({ signed }) => !signed);
      assert.deepEqual(
        unanswered,
        [],
        'what came before a malformed frame is answered, and the frame refused',
      );
    }
    assert.ok(code !== CLOSE.authenticationFailed || last === undefined);
    this.#pending = [];
  }

  /** @returns Whether it was an error. */
  #take(frame: Frame): boolean {
    if (isStreamFrame(frame)) {
      this.#speaker.cursor = frame['cursor'] as string | null;
      return false;
    }
    settle(frame, this.#pending);
    this.#note(frame);
    return frame['type'] === 'error';
  }

  #note(frame: Frame): void {
    if (frame['type'] === 'subscribed') {
      this.#speaker.streams.push(frame['stream'] as string);
    } else if (frame['type'] === 'advertised') {
      const { provider_id: id, verified } = frame['advertisement'] as PublishedAdvertisement;
      assert.deepEqual([id, verified], [this.#speaker.id, true]);
    }
  }
}

/**
 * Sends all lanes at once, each in both wire forms.
 * @returns How many frames that were.
 */
export async function runFrames(hub: FuzzHub, lanes: readonly Lane[]): Promise<number> {
  const ways = lanes.flatMap(({ items, subscribes, authenticates }) =>
    CODEC_NAMES.flatMap((codec) =>
      authenticates.map((isProvider): Way => ({ items, subscribes, codec, authenticates: isProvider })),
    ),
  );
  await inParallel(ways.map((way, index) => () => new WayRun(hub, way, hub.speakers[index]!).run()));
  return ways.reduce((sum, { items }) => sum + items.length, 0);
}
