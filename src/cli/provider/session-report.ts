import logUpdate from 'log-update';
import type { ProviderSession, Visibility } from '../../client/node.js';
import { describeOffer, describePrice, describeSight } from './offer.js';
import { wrapped } from '../tables/text.js';
import { coloursFor, printable, widthOf } from '../terminal.js';

const REDRAW_MS = 1000;

/** Reports the state of a provider's session: a status display on a terminal, log lines in a pipe. */
export class SessionReport {
  readonly #session: ProviderSession;
  readonly #timer: NodeJS.Timeout | null = null;
  #liveSince: Date | null = null;
  #heartbeats = 0;
  #problem: string | null = null;
  #isWithdrawn = false;
  #retryInMs: number | null = null;
  #visibility: Visibility | null = null;

  constructor(session: ProviderSession) {
    this.#session = session;
    if (process.stdout.isTTY) {
      this.#timer = setInterval(() => {
        this.#draw();
      }, REDRAW_MS);
    }
    session.on('heartbeat', () => {
      this.#heartbeats += 1;
    });
    session.on('state', ({ state, error, retryInMs }) => {
      this.#liveSince = null;
      this.#retryInMs = retryInMs;
      if (state === 'live') this.#problem = null;
      // A connected session may not have advertised yet.
      this.#tell(
        `${state === 'live' ? 'connected' : this.#headline()}${error === null ? '' : `: ${error.message}`}`,
      );
    });
    session.on('published', (advertisement) => {
      this.#liveSince ??= new Date();
      this.#isWithdrawn = false;
      this.#problem = null;
      this.#tell(
        `published ${advertisement.provider_id}: ${describeOffer(advertisement)}; ${describePrice(advertisement)}; expires at ${advertisement.expires_at} unless a heartbeat comes first`,
      );
    });
    session.on('withdrawn', ({ elsewhere }) => {
      this.#liveSince = null;
      this.#isWithdrawn = true;
      this.#problem = elsewhere
        ? 'This machine was withdrawn elsewhere with the same key, and stays withdrawn: restart this command to advertise it again.'
        : null;
      this.#tell(this.#problem === null ? 'withdrawn' : `withdrawn: ${this.#problem}`);
    });
    session.on('problem', (error) => {
      this.#problem = error.message;
      this.#tell(`problem: ${error.message}`);
    });
  }

  /** Updates who sees the provider, which only a terminal shows. */
  see(visibility: Visibility): void {
    this.#visibility = visibility;
    if (this.#timer !== null) this.#draw();
  }

  /** The current state or problem, in a few words. */
  get summary(): string {
    const trouble = this.#trouble();
    return trouble === null ? this.#headline() : `${this.#headline()}: ${trouble}`;
  }

  /** Leaves the final state on the screen, with the cursor below it. */
  end(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#draw();
    logUpdate.done();
  }

  #tell(text: string): void {
    if (this.#timer === null) process.stdout.write(`${new Date().toISOString()} ${printable(text)}\n`);
    else this.#draw();
  }

  #headline(): string {
    const { state } = this.#session;
    if (state === 'waiting' && this.#retryInMs !== null) {
      return `waiting ${(this.#retryInMs / 1000).toFixed(1)} s for the next try`;
    }
    if (state !== 'live') return state;
    if (this.#isWithdrawn) return 'withdrawn';
    if (this.#liveSince === null) return 'connected, not advertised';
    const beats = this.#heartbeats === 1 ? '1 heartbeat' : `${String(this.#heartbeats)} heartbeats`;
    return `live since ${this.#liveSince.toLocaleTimeString('en-GB')}, ${beats}`;
  }

  #trouble(): string | null {
    return this.#session.error?.message ?? this.#problem;
  }

  #sight(): string[] {
    const { advertisement } = this.#session;
    if (this.#liveSince === null || this.#visibility?.listed !== true || advertisement === null) return [];
    const { price } = this.#visibility;
    const rank =
      price === null
        ? ''
        : `; number ${String(price.rank)} of ${String(price.of)} by price in ${advertisement.country}`;
    return [`seen by ${describeSight(this.#visibility)}${rank}`];
  }

  #draw(): void {
    const colours = coloursFor(process.stdout);
    const { providerId, advertisement } = this.#session;
    const trouble = this.#trouble();
    const paint = this.#liveSince !== null ? colours.green : trouble === null ? colours.dim : colours.yellow;
    const width = (widthOf(process.stdout) ?? 80) - 1;
    const about = [
      `${providerId} on ${this.#session.hub}`,
      ...(advertisement === null ? [] : [describeOffer(advertisement), describePrice(advertisement)]),
      ...this.#sight(),
    ];
    logUpdate(
      [
        ...wrapped(this.#headline(), width).map(paint),
        ...about.flatMap((text) => wrapped(printable(text), width)),
        ...(trouble === null ? [] : wrapped(printable(trouble), width).map(colours.yellow)),
      ].join('\n'),
    );
  }
}
