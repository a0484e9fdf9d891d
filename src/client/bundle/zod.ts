// Replaces zod in client bundles. The rules are written once, with zod, and the hub runs them with zod; in a browser, that library would be
// most of the download. This runs the same rules: it has only those parts of zod that they use, and reports what zod would report.
// `scripts/build.mjs` substitutes it for `zod` in every client bundle, and test/client/bundle/zod.test.ts compares the two. A rule that uses
// anything missing here fails as soon as the bundle is loaded.

/** One problem. */
interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
  /** Whether later checks of the same value still make sense; false even rules out those that check every value. */
  goesOn?: boolean | undefined;
  /** For an object: the members that it must not have. */
  keys?: string[];
  /** For a union: the problems with each option. */
  errors?: Issue[][];
}

interface Outcome {
  value: unknown;
  issues: Issue[];
  aborted: boolean;
}

type Message = string | { error: (issue: Issue & { input: unknown }) => string | undefined } | undefined;

interface Check {
  /** Also checks values that already have a problem. */
  always: boolean;
  find: (value: unknown) => (Partial<Issue> & { about?: Message })[];
}

const passed = (value: unknown): Outcome => ({ value, issues: [], aborted: false });

function messageFor(about: Message, issue: Issue, input: unknown): string {
  if (typeof about === 'string') return about;
  return about?.error({ ...issue, input }) ?? 'Invalid input';
}

function issueOf(about: Message, input: unknown, more: Partial<Issue> = {}): Issue {
  const issue: Issue = { code: 'custom', path: [], message: '', ...more };
  issue.message = messageFor(about, issue, input);
  return issue;
}

const failed = (value: unknown, about: Message, more: Partial<Issue> = {}): Outcome => ({
  value,
  issues: [issueOf(about, value, { code: 'invalid_type', ...more })],
  aborted: false,
});

const isAborted = ({ aborted, issues }: Outcome): boolean =>
  aborted || issues.some(({ goesOn }) => goesOn !== true);

const inside = (member: PropertyKey, issues: readonly Issue[]): Issue[] =>
  issues.map((issue) => ({ ...issue, path: [member, ...issue.path] }));

type Parsed = { success: true; data: unknown } | { success: false; error: { issues: Issue[] } };

type Bounded = 'number' | 'list';

interface RefineOptions {
  message?: string;
  abort?: boolean;
}

class Schema {
  readonly #read: (value: unknown) => Outcome;
  readonly #checks: readonly Check[];
  readonly #about: Message;
  /** What its bounds apply to. */
  readonly #bounded: Bounded | undefined;
  /** The default for an absent value; undefined if it may not be absent. */
  readonly absent: { value: unknown } | undefined;
  /** For an object: the schemas of its members. */
  readonly shape: Readonly<Record<string, Schema>>;

  constructor(
    read: (value: unknown) => Outcome,
    options: {
      about?: Message;
      checks?: readonly Check[];
      absent?: { value: unknown } | undefined;
      shape?: Readonly<Record<string, Schema>>;
      bounded?: Bounded | undefined;
    } = {},
  ) {
    this.#read = read;
    this.#about = options.about;
    this.#bounded = options.bounded;
    this.#checks = options.checks ?? [];
    this.absent = options.absent;
    this.shape = options.shape ?? {};
  }

  run(value: unknown): Outcome {
    const outcome = this.#read(value);
    let aborted = isAborted(outcome);
    for (const { always, find } of this.#checks) {
      if (aborted && !(always && canBeMeasured(outcome))) continue;
      for (const { about, ...more } of find(outcome.value)) {
        const issue = issueOf(about ?? this.#about, outcome.value, { goesOn: true, ...more });
        outcome.issues.push(issue);
        aborted ||= issue.goesOn !== true;
      }
    }
    return outcome;
  }

  safeParse(value: unknown): Parsed {
    const { value: data, issues } = this.run(value);
    return issues.length === 0 ? { success: true, data } : { success: false, error: { issues } };
  }

  /** @throws Error if there is a problem. */
  parse(value: unknown): unknown {
    const parsed = this.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new Error(parsed.error.issues.map(({ message }) => message).join('; '));
  }

  #with(check: Check | null, read = this.#read): Schema {
    const checks = check === null ? this.#checks : [...this.#checks, check];
    return new Schema(read, {
      about: this.#about,
      checks,
      absent: this.absent,
      shape: this.shape,
      bounded: this.#bounded,
    });
  }

  #test(holds: (value: never) => boolean, about: Message, more: Partial<Issue> = {}, always = false): Schema {
    return this.#with({
      always,
      find: (value) =>
        holds(value as never) ? [] : [{ ...more, ...(about === undefined ? {} : { about }) }],
    });
  }

  refine(holds: (value: never) => boolean, options?: string | RefineOptions): Schema {
    const { message, abort = false } = typeof options === 'string' ? { message: options } : (options ?? {});
    return this.#test(holds, message ?? { error: () => undefined }, { goesOn: !abort });
  }

  superRefine(check: (value: never, context: { addIssue: (issue: Partial<Issue>) => void }) => void): Schema {
    return this.#with({
      always: false,
      find: (value) => {
        const found: (Partial<Issue> & { about?: Message })[] = [];
        check(value as never, {
          addIssue: ({ message, ...more }) => found.push({ ...more, about: message }),
        });
        return found;
      },
    });
  }

  transform(change: (value: never) => unknown): Schema {
    return new Schema(
      (value) => {
        const outcome = this.run(value);
        // An unknown member says nothing about the others.
        if (outcome.issues.some(({ code }) => code !== 'unrecognized_keys'))
          return { ...outcome, aborted: true };
        return { ...outcome, value: change(outcome.value as never) };
      },
      { absent: this.absent },
    );
  }

  min(least: number, about?: string): Schema {
    const always = this.#bounded !== 'number';
    return this.#test((value: number | { length: number }) => sizeOf(value) >= least, about, {}, always);
  }

  max(most: number, about?: string): Schema {
    const always = this.#bounded !== 'number';
    const fits = (value: number | { length: number }): boolean => sizeOf(value) <= most;
    const bounded = this.#test(fits, about, {}, always);
    if (this.#bounded !== 'list') return bounded;
    // The elements of a list that is too long are not checked.
    return bounded.#with(null, (value) =>
      Array.isArray(value) && !fits(value)
        ? failed(value, about ?? this.#about, { goesOn: false })
        : this.#read(value),
    );
  }

  positive(about?: string): Schema {
    return this.#test((value: number) => value > 0, about);
  }

  regex(pattern: RegExp, about?: string): Schema {
    return this.#test((value: string) => pattern.test(value), about);
  }

  optional(): Schema {
    return new Schema((value) => (value === undefined ? passed(undefined) : this.run(value)), {
      absent: { value: undefined },
    });
  }

  nullable(): Schema {
    return new Schema((value) => (value === null ? passed(null) : this.run(value)), { absent: this.absent });
  }

  nullish(): Schema {
    return this.nullable().optional();
  }

  default(value: unknown): Schema {
    return new Schema((given) => (given === undefined ? passed(value) : this.run(given)), {
      absent: { value },
    });
  }

  catchall(rest: Schema): Schema {
    return objectOf(this.shape, rest, this.#about);
  }

  /** Descriptions only matter for the API description. */
  meta(): this {
    return this;
  }

  describe(): this {
    return this;
  }
}

/** Lengths are checked even if the value already has a problem; numbers are not. */
const canBeMeasured = ({ value, issues, aborted }: Outcome): boolean =>
  !aborted &&
  (typeof value === 'string' || Array.isArray(value)) &&
  issues.every(({ goesOn }) => goesOn !== false);

function sizeOf(value: number | { length: number }): number {
  return typeof value === 'number' ? value : value.length;
}

function ofType(type: string, about: Message): Schema {
  return new Schema((value) => (typeof value === type ? passed(value) : failed(value, about)), { about });
}

function oneOfThese(values: readonly unknown[], about: Message): Schema {
  return new Schema(
    (value) => (values.includes(value) ? passed(value) : failed(value, about, { code: 'invalid_value' })),
    { about },
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param rest The schema of additional members; null to forbid them, undefined to drop them. */
function objectOf(
  shape: Readonly<Record<string, Schema>>,
  rest: Schema | null | undefined,
  about: Message,
): Schema {
  const read = (value: unknown): Outcome => {
    if (!isObject(value)) return failed(value, about);
    const data: Record<string, unknown> = {};
    const issues: Issue[] = [];
    const take = (name: string, schema: Schema): void => {
      const member = schema.run(value[name]);
      issues.push(...inside(name, member.issues));
      if (name in value || member.value !== undefined) data[name] = member.value;
    };
    for (const [name, schema] of Object.entries(shape)) {
      if (name in value || schema.absent?.value !== undefined || schema.absent === undefined)
        take(name, schema);
    }
    const further = Object.keys(value).filter((name) => !Object.hasOwn(shape, name));
    if (rest === null && further.length > 0) {
      issues.push(issueOf(about, value, { code: 'unrecognized_keys', keys: further, goesOn: true }));
    } else if (rest !== null && rest !== undefined) {
      for (const name of further) if (name !== '__proto__') take(name, rest);
    }
    return { value: data, issues, aborted: false };
  };
  return new Schema(read, { about, shape });
}

export const string = (about?: Message): Schema => ofType('string', about);
export const boolean = (about?: Message): Schema => ofType('boolean', about);
export const unknown = (): Schema => new Schema(passed);
export const nonoptional = (inner: Schema, about?: Message): Schema =>
  new Schema((value) => (value === undefined ? failed(value, about) : inner.run(value)), { about });

export const number = (about?: Message): Schema =>
  new Schema((value) => (Number.isFinite(value) ? passed(value) : failed(value, about)), {
    about,
    bounded: 'number',
  });

export const int = (about?: Message): Schema =>
  new Schema(
    (value) => {
      if (!Number.isFinite(value)) return failed(value, about);
      if (!Number.isInteger(value)) return failed(value, about, { goesOn: false });
      return Number.isSafeInteger(value) ? passed(value) : failed(value, about, { goesOn: true });
    },
    { about, bounded: 'number' },
  );

export const literal = (value: unknown, about?: Message): Schema => oneOfThese([value], about);

export const object = (shape: Readonly<Record<string, Schema>>, about?: Message): Schema =>
  objectOf(shape, undefined, about);
export const looseObject = (shape: Readonly<Record<string, Schema>>, about?: Message): Schema =>
  objectOf(shape, unknown(), about);
export const strictObject = (shape: Readonly<Record<string, Schema>>, about?: Message): Schema =>
  objectOf(shape, null, about);
/** @param _names Ignored: names are strings anyway. */
export const record = (_names: Schema, values: Schema, about?: Message): Schema =>
  objectOf({}, values, about);

export function array(item: Schema, about?: Message): Schema {
  const read = (value: unknown): Outcome => {
    if (!Array.isArray(value)) return failed(value, about);
    const outcomes = Array.from(value, (element) => item.run(element));
    return {
      value: outcomes.map((outcome) => outcome.value),
      issues: outcomes.flatMap(({ issues }, index) => inside(index, issues)),
      aborted: false,
    };
  };
  return new Schema(read, { about, bounded: 'list' });
}

/** A list of fixed length, with a schema for each element. */
export function tuple(items: readonly Schema[], about?: Message): Schema {
  return new Schema(
    (value) => {
      if (!Array.isArray(value)) return failed(value, about);
      const outcomes = items.map((item, index) => item.run(value[index]));
      const issues = outcomes.flatMap(({ issues }, index) => inside(index, issues));
      if (value.length !== items.length)
        issues.unshift(
          issueOf(about, value, { code: value.length > items.length ? 'too_big' : 'too_small' }),
        );
      return { value: outcomes.map((outcome) => outcome.value), issues, aborted: false };
    },
    { about },
  );
}

export function union(options: readonly Schema[], about?: Message): Schema {
  const read = (value: unknown): Outcome => {
    const outcomes: Outcome[] = [];
    for (const option of options) {
      const outcome = option.run(value);
      if (outcome.issues.length === 0) return outcome;
      outcomes.push(outcome);
    }
    const [meant, another] = outcomes.filter((outcome) => !isAborted(outcome));
    if (meant !== undefined && another === undefined) return meant;
    return failed(value, about, { code: 'invalid_union', errors: outcomes.map(({ issues }) => issues) });
  };
  return new Schema(read, { about });
}

/** The option whose discriminating member fits; its problems are reported. */
export function discriminatedUnion(name: string, options: readonly Schema[], about?: Message): Schema {
  const read = (value: unknown): Outcome => {
    if (!isObject(value)) return failed(value, about);
    const option = options.find(({ shape }) => shape[name]?.run(value[name]).issues.length === 0);
    return option === undefined ? failed(value, about, { code: 'invalid_union' }) : option.run(value);
  };
  return new Schema(read, { about });
}

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = new RegExp(`^(?:${BYTE}\\.){3}${BYTE}$`);

export const ipv4 = (about?: Message): Schema => string(about).regex(IPV4);

export const ipv6 = (about?: Message): Schema =>
  string(about).refine((text: string) => /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]`));

const oneOfTheseTexts = (values: readonly string[], about?: Message): Schema => oneOfThese(values, about);
export { oneOfTheseTexts as enum };
