import assert from 'node:assert/strict';

/** The samples of one metric by their labels, e.g. `code="1001"`; without labels the key is empty. */
export type Samples = ReadonlyMap<string, number>;

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)( -?\\d+)?$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME})(?: (.*))?$`);
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/** Reads Prometheus' text format as strictly as its description is written. */
export class Metrics {
  readonly types = new Map<string, string>();
  readonly #samples = new Map<string, Map<string, number>>();

  constructor(text: string) {
    assert.ok(text.endsWith('\n'), 'the last line ends like the others');
    for (const line of text.slice(0, -1).split('\n')) {
      if (line === '') continue;
      if (line.startsWith('#')) this.#readComment(line);
      else this.#readSample(line);
    }
  }

  /** All samples of a metric; fails where there is none. */
  samples(name: string): Samples {
    const samples = this.#samples.get(name);
    assert.ok(samples !== undefined, `there is no ${name}`);
    return samples;
  }

  /** One sample; 0 where it is not there. */
  value(name: string, labels = ''): number {
    return this.#samples.get(name)?.get(labels) ?? 0;
  }

  #readComment(line: string): void {
    const [, kind, name, text] = COMMENT.exec(line) ?? [];
    assert.ok(name !== undefined, line);
    if (kind !== 'TYPE') return;
    assert.ok(TYPES.includes(text ?? ''), line);
    assert.ok(!this.types.has(name), `${name} has one type`);
    this.types.set(name, text!);
  }

  #readSample(line: string): void {
    const [, name, labels = '', number] = SAMPLE.exec(line) ?? [];
    assert.ok(name !== undefined && number !== undefined, line);
    const value =
      number === '+Inf' ? Number.POSITIVE_INFINITY : number === 'Nan' ? Number.NaN : Number(number);
    assert.ok(number === 'Nan' || !Number.isNaN(value), line);
    const family = name.replace(/_(?:bucket|sum|count)$/, '');
    assert.ok(this.types.has(name) || this.types.has(family), `${name} has a type before its first sample`);
    let samples = this.#samples.get(name);
    if (samples === undefined) this.#samples.set(name, (samples = new Map<string, number>()));
    assert.ok(!samples.has(labels), `${line} is there once`);
    samples.set(labels, value);
  }
}
