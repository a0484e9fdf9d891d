/** The layout of keys in the store that several hubs share, below their prefix. */
export class Keys {
  /** The store's identity: random, created once. */
  readonly identity: Buffer;
  /** All that is watched. */
  readonly all: { key: Buffer; rangeEnd: Buffer };
  /** All providers. */
  readonly providers: { key: Buffer; rangeEnd: Buffer };
  /** The progress of an import, while there is one. */
  readonly importing: Buffer;
  /** What a hub writes that was declared dead, in the place of its records; says nothing. */
  readonly refused: Buffer;
  /** All running hubs. */
  readonly hubs: { key: Buffer; rangeEnd: Buffer };
  readonly #prefix: string;

  /** @param prefix Ends with a slash. */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.identity = Buffer.from(`${prefix}e`);
    this.all = below(prefix);
    this.importing = Buffer.from(`${prefix}i`);
    this.refused = Buffer.from(`${prefix}r`);
    this.providers = below(`${prefix}p/`);
    this.hubs = below(`${prefix}h/`);
  }

  /** The state of a provider: see `ProviderRecord`. */
  provider(providerId: string): Buffer {
    return Buffer.from(`${this.#prefix}p/${providerId}`);
  }

  /** A running hub; exists for as long as its lease. */
  hub(hub: string): Buffer {
    return Buffer.from(`${this.#prefix}h/${hub}`);
  }

  /** What a key stands for; null for keys about the store itself. */
  read(key: Uint8Array): { kind: 'provider' | 'hub'; id: string } | null {
    const rest = Buffer.from(key).toString('utf8').slice(this.#prefix.length);
    const id = rest.slice(2);
    if (rest.startsWith('p/')) return { kind: 'provider', id };
    return rest.startsWith('h/') ? { kind: 'hub', id } : null;
  }
}

/** The range of keys with a prefix, in etcd's form: from the prefix to the successor of the last such key. */
function below(start: string): { key: Buffer; rangeEnd: Buffer } {
  const key = Buffer.from(start);
  const rangeEnd = Buffer.from(key);
  rangeEnd[rangeEnd.length - 1]! += 1;
  return { key, rangeEnd };
}
