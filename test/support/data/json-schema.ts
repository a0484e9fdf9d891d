/** The part of JSON Schema that the interface's description uses. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  description?: string;
  example?: unknown;
}

/** Every keyword that `problemsOf` knows; a schema with any other is not understood, and so not checked. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  '$ref',
  'type',
  'const',
  'enum',
  'anyOf',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'description',
  'example',
]);

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/,
  ipv4: /^\d+(?:\.\d+){3}$/,
  ipv6: /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/,
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** What is wrong with a value by a schema; nothing is an empty list. */
export function problemsOf(
  value: unknown,
  schema: JsonSchema,
  resolve: (ref: string) => JsonSchema,
  at = '$',
): string[] {
  if (schema.$ref !== undefined) return problemsOf(value, resolve(schema.$ref), resolve, at);
  const problems: string[] = [];
  const check = (holds: boolean, what: string): void => {
    if (!holds) problems.push(`${at}: ${what}: ${JSON.stringify(value)}`);
  };
  const actual = typeOf(value);
  if (schema.type !== undefined) {
    const types = [schema.type].flat();
    check(types.includes(actual) || (types.includes('integer') && Number.isInteger(value)), types.join('|'));
  }
  if ('const' in schema) check(value === schema.const, `is ${JSON.stringify(schema.const)}`);
  if (schema.enum !== undefined) check(schema.enum.includes(value), `one of ${JSON.stringify(schema.enum)}`);
  if (schema.anyOf !== undefined) {
    const attempts = schema.anyOf.map((option) => problemsOf(value, option, resolve, at));
    if (attempts.every((attempt) => attempt.length > 0)) problems.push(...attempts.flat());
  }
  if (typeof value === 'number') {
    check(value >= (schema.minimum ?? value) && value <= (schema.maximum ?? value), 'in bounds');
  }
  if (typeof value === 'string') {
    const length = Array.from(value).length;
    check(length >= (schema.minLength ?? length) && length <= (schema.maxLength ?? length), 'long enough');
    if (schema.pattern !== undefined) check(new RegExp(schema.pattern, 'u').test(value), schema.pattern);
    if (schema.format !== undefined) check(FORMATS[schema.format]?.test(value) ?? false, schema.format);
  }
  if (actual === 'array' && schema.items !== undefined) {
    for (const [index, item] of (value as unknown[]).entries()) {
      problems.push(...problemsOf(item, schema.items, resolve, `${at}[${String(index)}]`));
    }
  }
  if (actual === 'object') {
    const members = value as Record<string, unknown>;
    for (const name of schema.required ?? []) check(Object.hasOwn(members, name), `has ${name}`);
    for (const [name, member] of Object.entries(members)) {
      const known = schema.properties?.[name] ?? schema.additionalProperties;
      if (known === false) problems.push(`${at}: has no ${name}`);
      else if (typeof known === 'object')
        problems.push(...problemsOf(member, known, resolve, `${at}.${name}`));
    }
  }
  return problems;
}
