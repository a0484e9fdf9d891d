interface TypedArray {
  set(values: ArrayLike<number>): void;
}

/** Copies a typed array into a larger one. */
export function grown<Column extends TypedArray & ArrayLike<number>>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
