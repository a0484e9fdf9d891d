/**
 * Maps strings to small, reference-counted numbers. A number is reused once nobody holds it any more, so that the strings that
 * strangers send cannot make the table grow for ever. 0 stands for "no text".
 */
export class Interner {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [''];
  readonly #holders: number[] = [0];
  readonly #free: number[] = [];
  #version = 0;

  /** Changes whenever a text gains or loses its number. */
  get version(): number {
    return this.#version;
  }

  /** The number of a text; adds a holder. */
  acquire(text: string | null): number {
    if (text === null) return 0;
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      this.#holders[known]! += 1;
      return known;
    }
    const number = this.#free.pop() ?? this.#texts.length;
    this.#version += 1;
    this.#numbers.set(text, number);
    this.#texts[number] = text;
    this.#holders[number] = 1;
    return number;
  }

  /** Adds a holder. */
  retain(number: number): void {
    if (number !== 0) this.#holders[number]! += 1;
  }

  /**
   * Removes a holder.
   * @returns Whether it was the last.
   */
  release(number: number): boolean {
    if (number === 0) return false;
    this.#holders[number]! -= 1;
    if (this.#holders[number]! > 0) return false;
    this.#version += 1;
    this.#numbers.delete(this.#texts[number]!);
    this.#texts[number] = '';
    this.#free.push(number);
    return true;
  }

  /** The number of a text; undefined if nobody holds it. */
  find(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  /** The text of a number in use; null for 0. */
  text(number: number): string | null {
    return number === 0 ? null : this.#texts[number]!;
  }

  /** How many holders a text has. */
  holders(text: string): number {
    const number = this.#numbers.get(text);
    return number === undefined ? 0 : this.#holders[number]!;
  }

  /** How many texts have a number. */
  get size(): number {
    return this.#numbers.size;
  }
}
