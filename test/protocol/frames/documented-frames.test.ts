import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type * as z from 'zod';
import { parseAdvertisement, PRICE_MEMBERS } from '../../../src/protocol/advertisement.js';
import { ERROR_STATUS } from '../../../src/protocol/errors.js';
import { parseFilter } from '../../../src/protocol/filters/filter.js';
import { DOWN_SCHEMAS } from '../../../src/protocol/frames/frames-down-schemas.js';
import type { Down } from '../../../src/protocol/frames/frames-down.js';
import { parseUpFrame, type Up, UP_SCHEMAS, type UpType } from '../../../src/protocol/frames/frames-up.js';
import { ED25519, keyPairFromSeed } from '../../../src/protocol/schemes/ed25519.js';
import { verifySignature } from '../../../src/protocol/schemes/table.js';
import { sessionPayload, type SignedFields } from '../../../src/protocol/signing.js';

const ROOT = new URL('../../../..', import.meta.url);
const DOCUMENT = readFileSync(new URL('docs/protocol.md', ROOT), 'utf8');

/** What the document says of one frame. */
interface Section {
  from: string;
  type: string;
  /** A declaration in TypeScript. */
  shape: string;
  example: Record<string, unknown>;
}

/** The contents of the fenced blocks of one language. */
function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text!,
  );
}

function theOnly<Item>(items: readonly Item[], what: string): Item {
  assert.equal(items.length, 1, `there must be one ${what}, not ${String(items.length)}`);
  return items[0]!;
}

/** The part about frames: what comes before the first of them, and one section for each. */
function readFrames(markdown: string): { shared: string; sections: Section[] } {
  const part = markdown.split('\n## ').find((text) => text.startsWith('Frames\n'));
  assert.ok(part !== undefined, 'docs/protocol.md has no part "Frames"');
  const [intro, ...parts] = part.split('\n### ');
  const sections = parts.map((text) => {
    const heading = /^(Client|Hub) sends `(\w+)`\n/.exec(text);
    assert.ok(heading, `must be "Client sends \`type\`" or "Hub sends \`type\`": ${text.split('\n')[0]!}`);
    const title = heading[0].trimEnd();
    return {
      from: heading[1]!,
      type: heading[2]!,
      shape: theOnly(blocks(text, 'ts'), `shape under "${title}"`),
      example: JSON.parse(theOnly(blocks(text, 'json'), `example under "${title}"`)) as Record<
        string,
        unknown
      >,
    };
  });
  return { shared: theOnly(blocks(intro!, 'ts'), 'block of shared types'), sections };
}

const { shared, sections } = readFrames(DOCUMENT);

/**
 * Checks an example to the letter: what the schemas drop or change is not what they describe.
 * @throws AssertionError or ProtocolError saying what is wrong with it.
 */
function checkExample(from: string, type: string, example: Record<string, unknown>): void {
  assert.equal(example['type'], type);
  if (from === 'Hub') {
    const schema: z.ZodType = DOWN_SCHEMAS[type as keyof typeof DOWN_SCHEMAS];
    assert.deepEqual(schema.parse(example), example);
    return;
  }
  const result = parseUpFrame(example);
  assert.ok(result.ok, result.ok ? '' : result.message);
  assert.deepEqual(result.frame, example);
  if (result.frame.type === 'subscribe')
    assert.deepEqual(parseFilter(result.frame.filter), result.frame.filter);
  if (result.frame.type === 'advertise') {
    const advertisement: unknown = JSON.parse(result.frame.payload);
    assert.deepEqual(parseAdvertisement(advertisement), advertisement);
  }
}

function exampleOf(from: 'Client' | 'Hub', type: string): Record<string, unknown> {
  return theOnly(
    sections.filter((section) => section.from === from && section.type === type),
    `section "${from} sends \`${type}\`"`,
  ).example;
}

test('every frame of either direction is documented exactly once, and no other', () => {
  const documented = sections.map(({ from, type }) => `${from} sends ${type}`).sort();
  const known = [
    ...Object.keys(UP_SCHEMAS).map((type) => `Client sends ${type}`),
    ...Object.keys(DOWN_SCHEMAS).map((type) => `Hub sends ${type}`),
  ].sort();
  assert.deepEqual(documented, known);
});

test('every example is a frame, with all its members and no others', () => {
  for (const { from, type, example } of sections) {
    try {
      checkExample(from, type, example);
    } catch (error) {
      assert.fail(`the example under "${from} sends \`${type}\`": ${(error as Error).message}`);
    }
  }
});

test('an example with a member missing, too many or of the wrong type would be noticed', () => {
  /** The example with each of its objects, at any depth, spoiled in each way. */
  function* spoiled(value: unknown, optional: readonly string[]): Generator {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        for (const wrong of spoiled(item, optional)) yield value.with(index, wrong);
    } else if (typeof value === 'object' && value !== null) {
      for (const [member, inner] of Object.entries(value)) {
        const { [member]: _dropped, ...without } = value as Record<string, unknown>;
        if (!optional.includes(member)) yield without;
        yield { ...value, [member]: typeof inner === 'boolean' ? 'no' : true };
        for (const wrong of spoiled(inner, optional)) yield { ...value, [member]: wrong };
      }
      // Resources and prices may have members of the provider's own; but not of this form.
      yield { ...value, Undocumented: [] };
    }
  }
  let count = 0;
  for (const { from, type, example } of sections) {
    // What a frame does not need is no mistake to leave out.
    const optional = ['public_key', 'resume', ...Object.keys(example['filter'] ?? {}), ...PRICE_MEMBERS];
    if (type === 'error') optional.push('id');
    for (const wrong of spoiled(example, optional)) {
      assert.throws(
        () => checkExample(from, type, wrong as Record<string, unknown>),
        `was taken for ${type}: ${JSON.stringify(wrong)}`,
      );
      count += 1;
    }
  }
  assert.ok(count > 200, `only ${String(count)} spoiled examples were tried`);
});

test('the signatures of the examples are good, so that a client can be tested with them', () => {
  const { publicKey } = keyPairFromSeed(new Uint8Array(32).fill(1));
  const { nonce } = exampleOf('Hub', 'welcome') as Down<'welcome'>;
  const up = <Type extends UpType>(type: Type) => exampleOf('Client', type) as Up<Type>;
  const { provider_id: providerId, ...authenticate } = up('authenticate');
  const { payload, ...advertise } = up('advertise');
  const isSigned = (action: SignedFields['action'], frame: { t: number; signature: string }, text: string) =>
    verifySignature(ED25519, { action, providerId, t: frame.t, payload: text }, publicKey, frame.signature);
  assert.equal(authenticate.public_key, publicKey);
  assert.ok(isSigned('session', authenticate, sessionPayload(nonce, 'hub.example:7465')));
  assert.ok(isSigned('advertise', advertise, payload));
  assert.ok(isSigned('withdraw', up('withdraw'), ''));
});

test('every error code is documented', () => {
  for (const code of Object.keys(ERROR_STATUS)) assert.ok(DOCUMENT.includes(`\`${code}\``), code);
});

/** Where the shapes of the document are compared with the types of the source; it is never written. */
const CHECK_FILE = fileURLToPath(new URL('test/protocol/frames/documented-shapes.ts', ROOT));

const CHECK_HEAD = `
import type { ErrorCode } from '../../../src/protocol/errors.js';
import type { FilterInput } from '../../../src/protocol/filters/filter.js';
import type { Down, DownType } from '../../../src/protocol/frames/frames-down.js';
import type { Up, UpType } from '../../../src/protocol/frames/frames-up.js';
type Client<Type extends UpType> = Type extends 'subscribe' ? Omit<Up<Type>, 'filter'> & { filter: FilterInput } : Up<Type>;
type Hub<Type extends DownType> = Down<Type>;
type Plain<T> = T extends object ? { [Member in keyof T]: Plain<T[Member]> } : T;
type IsSame<A, B> =
  (<T>() => T extends Plain<A> ? 1 : 2) extends (<T>() => T extends Plain<B> ? 1 : 2) ? true : false;
type MustBeTrue<T extends true> = T;
`;

/** What the compiler has to say of a program that consists of this text; empty when it is right. */
function compile(text: string): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts'],
    types: [],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const plain = { ...host };
  host.fileExists = (name) => name === CHECK_FILE || plain.fileExists(name);
  host.readFile = (name) => (name === CHECK_FILE ? text : plain.readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === CHECK_FILE ? ts.createSourceFile(name, text, rest[0]) : plain.getSourceFile(name, ...rest);
  const program = ts.createProgram([CHECK_FILE], options, host);
  const file = program.getSourceFile(CHECK_FILE)!;
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    ({ messageText, start }) => {
      const line = text.split('\n')[file.getLineAndCharacterOfPosition(start ?? 0).line]!;
      return `${line.trim()}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    },
  );
}

/** The text that compiles only when each shape is that of its frame. */
function shapeCheck(shapes: readonly Omit<Section, 'example'>[]): string {
  const checks = shapes.map(({ from, type, shape }, index) => {
    const name = theOnly([...shape.matchAll(/^(?:type|interface) (\w+)/gm)], `declaration: ${shape}`)[1]!;
    return `namespace Frame${String(index)} {\n${shape}\nexport type Check = MustBeTrue<IsSame<${name}, ${from}<'${type}'>>>;\n}`;
  });
  return `${CHECK_HEAD}\n${shared}\n${checks.join('\n')}\n`;
}

test('the documented shapes are the types of the source, and another shape would be noticed', () => {
  const broken = [
    `type Broken = { type: 'withdrawn' };`,
    `type Broken = { type: 'withdrawn'; id?: RequestId };`,
    `type Broken = { type: 'withdrawn'; id: string };`,
    `type Broken = { type: 'withdrawn'; id: RequestId; more: string };`,
  ].map((shape) => ({ from: 'Hub', type: 'withdrawn', shape }));
  // One program for all: setting it up is what takes long.
  const problems = compile(shapeCheck([...sections, ...broken]));
  const isExpected = (problem: string): boolean => problem.includes('IsSame<Broken, ');
  assert.deepEqual(
    problems.filter((problem) => !isExpected(problem)),
    [],
  );
  assert.equal(problems.filter(isExpected).length, broken.length);
});
