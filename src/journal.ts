import type { GatewayJournal } from './gateway/settings.js';
import type { Logger } from './log.js';
import { CLOSE } from './protocol/frames/close-codes.js';
import type { ErrorCode } from './protocol/errors.js';
import type { HttpRequest } from './protocol/http-message.js';

const MINUTE_MS = 60_000;
/** How many lines of one kind clients can cause per minute; further ones are only counted. */
const MAX_LINES = 30;
/** How many client addresses are counted individually per limit and minute. */
const MAX_ADDRESSES = 1000;
/** How many characters of a client's text are logged. */
const MAX_TEXT = 200;

/** The refusals that stem from limits: the operator may have to raise one, or stop somebody. */
const LIMIT_CODE = /^(?:RATE_\d+|WS_00[345])$/;

/** How often one limit was hit in a minute. */
interface Hits {
  times: number;
  /** By client address. */
  from: Map<string, number>;
}

/**
 * Logs what clients do: everything at debug level, otherwise only what an operator needs to know. Except for lines that the operator
 * asked for, their number per minute is bounded, whatever clients do.
 */
export class Journal implements GatewayJournal {
  /** Whether each request is logged once answered. */
  readonly isAccessLogged: boolean;
  readonly #log: Logger;
  readonly #isDebugging: boolean;
  #hits = new Map<string, Hits>();
  #lines = new Map<string, number>();
  #minuteEnds = Number.POSITIVE_INFINITY;

  constructor(log: Logger, isAccessLogged = false) {
    this.#log = log;
    this.isAccessLogged = isAccessLogged;
    this.#isDebugging = log.isLevelEnabled('debug');
  }

  connected(address: string, codec: string): void {
    if (this.#isDebugging) this.#log.debug({ address, codec }, 'connection opened');
  }

  closed(code: number, address: string): void {
    if (code === CLOSE.messageRate) this.#hit('messages', address);
    if (this.#isDebugging) this.#log.debug({ code, address }, 'connection closed');
  }

  authenticated(provider: string, address: string): void {
    if (this.#isDebugging) this.#log.debug({ provider, address }, 'authenticated');
  }

  replaced(provider: string, address: string, before: string): void {
    this.#say('a newer session replaced an older one of the same provider', {
      provider,
      address,
      before,
    });
  }

  subscribed(stream: string, address: string): void {
    if (this.#isDebugging) this.#log.debug({ stream, address }, 'subscribed');
  }

  resumeRefused(stream: string, address: string): void {
    this.#say('a resume was refused: the subscriber starts over from a snapshot', { stream, address });
  }

  refused(code: ErrorCode, address: string, claimed: string | null): void {
    if (LIMIT_CODE.test(code)) this.#hit(code, address);
    if (!this.#isDebugging) return;
    const provider = claimed?.slice(0, MAX_TEXT);
    this.#log.debug({ code, address, ...(provider === undefined ? {} : { provider }) }, 'refused');
  }

  /** Something was stored. @param address Null if no address is counted for it. */
  written(action: string, provider: string, address: string | null): void {
    if (this.#isDebugging) this.#log.debug({ action, provider, address }, 'written');
  }

  /** A request or handshake (101) was answered. @param ms How long it took. */
  answered(request: HttpRequest, address: string, status: number, ms: number): void {
    if (!this.isAccessLogged) return;
    const { method, path, search, headers } = request;
    this.#log.info(
      {
        address,
        method: method.slice(0, MAX_TEXT),
        path: path.slice(0, MAX_TEXT),
        ...(search === '' ? {} : { search: search.slice(0, MAX_TEXT) }),
        status,
        ms: Math.round(ms * 1000) / 1000,
        agent: headers.get('user-agent')?.slice(0, MAX_TEXT) ?? null,
      },
      'request',
    );
  }

  /** Logs the summary of a minute once it is over. @param now Service milliseconds. */
  tick(now: number): void {
    if (this.#minuteEnds === Number.POSITIVE_INFINITY) this.#minuteEnds = now + MINUTE_MS;
    if (now < this.#minuteEnds) return;
    this.#minuteEnds = now + MINUTE_MS;
    this.sumUp();
  }

  /** Logs the counts since the last summary. */
  sumUp(): void {
    for (const [limit, { times, from }] of this.#hits) {
      const [most, share] = [...from].reduce((top, one) => (one[1] > top[1] ? one : top));
      const addresses = from.size;
      this.#log.warn({ limit, times, addresses, most, share }, 'a limit was hit within the last minute');
    }
    for (const [line, times] of this.#lines) {
      if (times > MAX_LINES)
        this.#log.info(
          { times: times - MAX_LINES },
          `repeated this many times more within the last minute: ${line}`,
        );
    }
    this.#hits = new Map();
    this.#lines = new Map();
  }

  #hit(limit: string, address: string): void {
    let hits = this.#hits.get(limit);
    if (hits === undefined) this.#hits.set(limit, (hits = { times: 0, from: new Map() }));
    hits.times += 1;
    const known = hits.from.get(address);
    if (known !== undefined || hits.from.size < MAX_ADDRESSES) hits.from.set(address, (known ?? 0) + 1);
  }

  #say(line: string, details: Readonly<Record<string, string>>): void {
    const times = (this.#lines.get(line) ?? 0) + 1;
    this.#lines.set(line, times);
    if (times <= MAX_LINES) this.#log.info(details, line);
  }
}
