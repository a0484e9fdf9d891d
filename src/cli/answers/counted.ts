/** A number of providers in words, e.g. `1 provider` or `12 providers`. */
export function counted(providers: number): string {
  return providers === 1 ? '1 provider' : `${String(providers)} providers`;
}
