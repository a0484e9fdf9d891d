import type { Visibility } from '../../protocol/answers.js';
import type { Down } from '../../protocol/frames/frames-down.js';
import type { RequestId } from '../../protocol/frames/frames-up.js';
import { DiscoveryError } from '../errors.js';

interface Question {
  readonly resolve: (visibility: Visibility) => void;
  readonly reject: (error: DiscoveryError) => void;
  readonly cancelTimer: () => void;
}

/** A provider's pending visibility requests. */
export class Questions {
  readonly #open = new Map<RequestId, Question>();

  /**
   * @param id The request id.
   * @param after Calls back when the hub has had enough time; returns a function that cancels that.
   */
  add(id: RequestId, after: (timedOut: () => void) => () => void): Promise<Visibility> {
    return new Promise((resolve, reject) => {
      const cancelTimer = after(() => {
        this.#take(id)?.reject(new DiscoveryError('TIMEOUT', 'the hub did not say who sees the provider'));
      });
      this.#open.set(id, { resolve, reject, cancelTimer });
    });
  }

  answer({ type: _, id, ...visibility }: Down<'visibility'>): void {
    this.#take(id)?.resolve(visibility);
  }

  /** @returns Whether the refusal was of such a request. */
  refuse(frame: Down<'error'>): boolean {
    const question = frame.id === undefined ? undefined : this.#take(frame.id);
    question?.reject(DiscoveryError.fromBody(frame));
    return question !== undefined;
  }

  /** Rejects all, because no answer will come. */
  failAll(error: DiscoveryError): void {
    for (const id of [...this.#open.keys()]) this.#take(id)?.reject(error);
  }

  #take(id: RequestId): Question | undefined {
    const question = this.#open.get(id);
    this.#open.delete(id);
    question?.cancelTimer();
    return question;
  }
}
