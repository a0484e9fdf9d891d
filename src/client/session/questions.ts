import type { Visibility } from '../../protocol/answers.js';
import type { Down } from '../../protocol/frames/frames-down.js';
import type { RequestId } from '../../protocol/frames/frames-up.js';
import { DiscoveryError } from '../errors.js';

interface Question {
  readonly resolve: (visibility: Visibility) => void;
  readonly reject: (error: DiscoveryError) => void;
  readonly cancelTimer: () => void;
}

/** What a provider has asked and not been told yet: who sees it. */
export class Questions {
  readonly #open = new Map<RequestId, Question>();

  /**
   * @param id That of the request.
   * @param after Calls back when the hub has had time enough; returns what cancels that.
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

  /** @returns Whether it was a question that was refused. */
  refuse(frame: Down<'error'>): boolean {
    const question = frame.id === undefined ? undefined : this.#take(frame.id);
    question?.reject(DiscoveryError.fromBody(frame));
    return question !== undefined;
  }

  /** Nobody will answer any more. */
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
