import { LIMITS } from '../../../protocol/limits.js';

interface Binding {
  /** Steady Unix milliseconds. */
  seenAt: number;
  /** Whether the id is the key itself. */
  isKey: boolean;
}

/** Bindings that are looked at in one call. */
const MAX_LOOKED_AT = 50_000;
/** Bindings that one call finds. */
const MAX_FOUND = 100;

/** When the owners of ids without an advertisement were last seen: the records that nobody needs some day. */
export class Bindings {
  readonly #bindings = new Map<string, Binding>();
  #looking: Iterator<[string, Binding], undefined> | null = null;

  set(providerId: string, publicKey: string, seenAt: number): void {
    this.#bindings.set(providerId, { seenAt, isKey: publicKey === providerId });
  }

  delete(providerId: string): void {
    this.#bindings.delete(providerId);
  }

  /** Finds some that have lapsed at a steady time (Unix ms); each call goes on where the last has ended. */
  lapsed(now: number): string[] {
    const found: string[] = [];
    this.#looking ??= this.#bindings.entries();
    for (let looked = 0; looked < MAX_LOOKED_AT && found.length < MAX_FOUND; looked += 1) {
      const step = this.#looking.next();
      if (step.done === true) {
        this.#looking = null;
        break;
      }
      const [providerId, { seenAt, isKey }] = step.value;
      if (now - seenAt > (isKey ? LIMITS.keyMemoryMs : LIMITS.bindingLifetimeMs)) found.push(providerId);
    }
    return found;
  }
}
