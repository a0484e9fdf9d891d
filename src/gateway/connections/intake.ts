import { type Account, metered, type Task, Turns, WORK_PER_MS } from '../../lib/turns.js';

/** Milliseconds of an event-loop iteration that are spent on frames; one that takes longer is the last. */
const MS_PER_TURN = 3;
const MIB = 1024 * 1024;

/** Bytes of frames that may wait to be read. */
export const MAX_WAITING_BYTES = { connection: MIB, address: 16 * MIB, all: 256 * MIB } as const;

/** What an address has sent: the work that it was, and the bytes that wait. */
export interface IntakeAccount extends Account {
  bytes: number;
}

/** A connection, as far as it sends frames. */
export interface Sender {
  readonly client: { readonly intake: IntakeAccount };
  /** Reads a frame, from a text or a binary message, and does what it asks. The bytes are only borrowed. */
  receive(frame: Uint8Array, binary: boolean): void;
}

/** Frames that wait, in their order. */
interface Inbox {
  readonly sender: Sender;
  readonly frames: { readonly bytes: Uint8Array; readonly binary: boolean }[];
  bytes: number;
}

/**
 * Hands frames to their connections: at once while little comes, else in turns by client address. Many frames may be read
 * from one socket at once, and nobody else should have to wait for all of them.
 */
export class Intake {
  readonly #inboxes = new Map<Sender, Inbox>();
  readonly #turns: Turns<Inbox>;
  #bytes = 0;

  /** @param now Milliseconds, by which work is measured. */
  constructor(now: () => number = () => performance.now()) {
    this.#turns = new Turns<Inbox>(
      MS_PER_TURN * WORK_PER_MS,
      ({ sender }) => sender.client.intake,
      (inbox) => metered(this.#receiveNext(inbox), now),
      now,
    );
  }

  /** Bytes of all frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether frames of a connection wait. */
  waits(sender: Sender): boolean {
    return this.#inboxes.has(sender);
  }

  /**
   * Has a connection receive a frame, now or when it is the turn of its address.
   * @returns False when too much waits already, and the frame is lost.
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

  /** Forgets what waits of a connection that is over. */
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
    // It may have ended the connection.
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
