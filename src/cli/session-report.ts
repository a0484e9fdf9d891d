import logUpdate from 'log-update';
import type { ProviderSession } from '../client/node.js';
import { providerIdKind } from '../protocol/provider-id.js';
import { coloursFor, printable, widthOf } from './terminal.js';

const REDRAW_MS = 1000;

/** Says how a provider's session is: one line that is kept up to date on a terminal, log lines in a pipe. */
export class SessionReport {
  readonly #session: ProviderSession;
  readonly #url: string;
  readonly #timer: NodeJS.Timeout | null = null;
  #liveSince: Date | null = null;
  #heartbeats = 0;
  #problem: string | null = null;

  constructor(session: ProviderSession, url: string) {
    this.#session = session;
    this.#url = url;
    if (process.stdout.isTTY) {
      this.#timer = setInterval(() => {
        this.#draw();
      }, REDRAW_MS);
    }
    session.on('heartbeat', () => {
      this.#heartbeats += 1;
    });
    session.on('state', ({ state, error, retryInMs }) => {
      this.#liveSince = state === 'live' ? new Date() : null;
      if (state === 'live') this.#problem = null;
      const pause = retryInMs === null ? '' : `, next try in ${(retryInMs / 1000).toFixed(1)} s`;
      this.#tell(`${state}${error === null ? '' : `: ${error.message}`}${pause}`);
    });
    session.on('published', ({ provider_id, resources, expires_at }) => {
      const { cpu, memory, storage } = resources;
      this.#tell(
        `published ${provider_id}: ${cpu} cores, ${memory} GB of memory, ${storage} GB of disk; without heartbeats until ${expires_at}`,
      );
    });
    session.on('withdrawn', () => {
      this.#tell('withdrawn');
    });
    session.on('problem', (error) => {
      this.#problem = error.message;
      this.#tell(`problem: ${error.message}`);
    });
  }

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

  #draw(): void {
    const colours = coloursFor(process.stdout);
    const { state, error, providerId } = this.#session;
    const width = widthOf(process.stdout) ?? 80;
    const beats = this.#heartbeats === 1 ? '1 heartbeat' : `${String(this.#heartbeats)} heartbeats`;
    const since =
      this.#liveSince === null ? '' : ` since ${this.#liveSince.toLocaleTimeString('en-GB')}, ${beats}`;
    const trouble = error?.message ?? this.#problem;
    // The middle of an address is what tells it from one that was made to look like it.
    const who = providerIdKind(providerId) === 'ethereum' ? providerId : providerId.slice(0, 12);
    const text = `${state}${since} · ${who} on ${this.#url}${trouble === null ? '' : ` · ${printable(trouble)}`}`;
    const line = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    const paint = state === 'live' ? colours.green : trouble === null ? colours.dim : colours.yellow;
    logUpdate(paint(line));
  }
}
