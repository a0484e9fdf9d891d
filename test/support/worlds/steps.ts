import fc from '../properties.js';

/** One thing that is done to a model, which says what it is when a sequence of them fails. */
export interface Step<Model, Result = void> {
  run: (model: Model) => Result;
}

/**
 * An arbitrary of steps.
 * @param name What a failing sequence shows, before the arguments.
 */
export function steps<Model, Args extends unknown[], Result = void>(
  name: string,
  args: { [Index in keyof Args]: fc.Arbitrary<Args[Index]> },
  run: (model: Model, ...args: Args) => Result,
): fc.Arbitrary<Step<Model, Result>> {
  return fc.tuple<Args>(...args).map((values) => ({
    run: (model: Model) => run(model, ...values),
    [fc.toStringMethod]: () => `${name}(${values.map((value) => fc.stringify(value)).join(', ')})`,
  }));
}

/** Sequences of steps, as many long ones as short ones: by default most would have fewer than ten. */
export function sequences<Item>(step: fc.Arbitrary<Item>, maxLength: number): fc.Arbitrary<Item[]> {
  return fc.array(step, { maxLength, size: 'max' });
}
