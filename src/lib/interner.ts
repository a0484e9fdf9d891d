/**
 * Gives texts small numbers, counted: a number is reused only after every holder let go of it, so that what
 * strangers send cannot make the table grow for ever. 0 stands for "no text".
 */
export class Interner {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [''];
  readonly #holders: number[] = [0];
  readonly #free: number[] = [];
  #version = 0;

  /** Another one whenever a text has got a number, or lost it. */
  get version(): number {
    return this.#version;
  }

  /** The number of a text, held once more. */
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

  /** Holds a number once more. */
  retain(number: number): void {
    if (number !== 0) this.#holders[number]! += 1;
  }

  /**
   * Lets go of a number.
   * @returns Whether nobody holds it any more.
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

  /** The number of a text that somebody holds, else undefined: then nobody can have it. */
  find(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  /** The text of a number that somebody holds; null for 0. */
  text(number: number): string | null {
    return number === 0 ? null : this.#texts[number]!;
  }

  /** How often a text is held. */
  holders(text: string): number {
    const number = this.#numbers.get(text);
    return number === undefined ? 0 : this.#holders[number]!;
  }

  /** How many texts are held. */
  get size(): number {
    return this.#numbers.size;
  }
}
