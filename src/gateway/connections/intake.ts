import { type Account, metered, type Task, Turns, WORK_PER_MS } from '../../lib/turns/turns.js';

/** Milliseconds per event-loop iteration spent on frames; a frame that exceeds it is the last. */
const MS_PER_TURN = 3;
const MIB = 1024 * 1024;

/** Bytes of frames that may wait to be processed. */
export const MAX_WAITING_BYTES = { connection: MIB, address: 16 * MIB, all: 256 * MIB } as const;

/** An address's account: the work its frames took, and the bytes that wait. */
export interface IntakeAccount extends Account {
  bytes: number;
}

/** A connection as a sender of frames. */
export interface Sender {
  readonly client: { readonly intake: IntakeAccount };
  /** Processes a frame, from a text or a binary message. The bytes are only borrowed. */
  receive(frame: Uint8Array, binary: boolean): void;
}

/** Waiting frames, in order. */
interface Inbox {
  readonly sender: Sender;
  readonly frames: { readonly bytes: Uint8Array; readonly binary: boolean }[];
  bytes: number;
}

/**
 * Hands frames to their connections: at once under light load, otherwise in turns by client address. A single socket read may bring many
 * frames, which must not hold up everybody else.
 */
export class Intake {
  readonly #inboxes = new Map<Sender, Inbox>();
  readonly #turns: Turns<Inbox>;
  #bytes = 0;

  /** @param now Milliseconds, to time work. */
  constructor(now: () => number = () => performance.now()) {
    this.#turns = new Turns<Inbox>(
      MS_PER_TURN * WORK_PER_MS,
      ({ sender }) => sender.client.intake,
      (inbox) => metered(this.#receiveNext(inbox), now),
      now,
    );
  }

  /** Total bytes of waiting frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a connection has waiting frames. */
  waits(sender: Sender): boolean {
    return this.#inboxes.has(sender);
  }

  /**
   * Passes a frame to its connection, now or in its address's turn.
   * @returns False if too much is waiting already; the frame is then lost.
   */
  take(sender: Sender, frame: Uint8Array, binary: boolean): boolean {
    const { intake } = sender.client;
    const inbox = this.#inboxes.get(sender);
    const isDone =
      inbox === undefined &&
      this.#turns.now(intake, () => {
        sender.receive(frame, binary);
      });
    if (isDone) return true;
    const isTooMuch =
      (inbox?.bytes ?? 0) + frame.length > MAX_WAITING_BYTES.connection ||
      intake.bytes + frame.length > MAX_WAITING_BYTES.address ||
      this.#bytes + frame.length > MAX_WAITING_BYTES.all;
    if (isTooMuch) return false;
    this.#keep(inbox ?? this.#open(sender), Uint8Array.from(frame), binary);
    return true;
  }

  /** Drops the waiting frames of a connection that has ended. */
  drop(sender: Sender): void {
    const inbox = this.#inboxes.get(sender);
    if (inbox === undefined) return;
    this.#inboxes.delete(sender);
    this.#turns.remove(inbox);
    this.#count(inbox, -inbox.bytes);
  }

  #open(sender: Sender): Inbox {
    const inbox = { sender, frames: [], bytes: 0 };
    this.#inboxes.set(sender, inbox);
    return inbox;
  }

  #keep(inbox: Inbox, bytes: Uint8Array, binary: boolean): void {
    inbox.frames.push({ bytes, binary });
    this.#count(inbox, bytes.length);
    this.#turns.add(inbox);
    this.#turns.run();
  }

  *#receiveNext(inbox: Inbox): Task {
    const { bytes, binary } = inbox.frames.shift()!;
    this.#count(inbox, -bytes.length);
    inbox.sender.receive(bytes, binary);
    // The frame may have ended the connection.
    if (this.#inboxes.get(inbox.sender) !== inbox) return;
    if (inbox.frames.length > 0) this.#turns.add(inbox);
    else this.#inboxes.delete(inbox.sender);
    yield 0;
  }

  #count(inbox: Inbox, bytes: number): void {
    inbox.bytes += bytes;
    inbox.sender.client.intake.bytes += bytes;
    this.#bytes += bytes;
  }
}
