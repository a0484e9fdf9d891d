import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What editors show of a client: its declarations, joined in one file. */
function declarationsOf(name: 'index' | 'node'): ts.SourceFile {
  const path = fileURLToPath(new URL(`../../../dist/vm-discovery-client/${name}.d.ts`, import.meta.url));
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true);
}

const isPrivate = (node: ts.ClassElement | ts.TypeElement): boolean =>
  (node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
  (ts.canHaveModifiers(node) &&
    node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) === true);

const commentOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((comment) => comment.getText())
    .join('\n');

/** What a number counts or measures. Ports, statuses and the like name themselves. */
const UNIT =
  /\b(?:milliseconds|seconds|cores|GB|US dollars|GLM|bytes|times|how many|a month|port|status|code|price|number|attribute|resource|place|counts?|1 to \d+|from 0)\b/i;

const isNumber = (type: ts.TypeNode | undefined): boolean =>
  type !== undefined &&
  (type.kind === ts.SyntaxKind.NumberKeyword || (ts.isUnionTypeNode(type) && type.types.some(isNumber)));

interface Shown {
  /** e.g. `Health.counts.live`. */
  path: string;
  comment: string;
  isNumber: boolean;
}

/** All that an editor can show a comment of: what is declared, and the members of it, however deep. */
function shownIn(source: ts.SourceFile): Shown[] {
  const shown: Shown[] = [];
  const visit = (node: ts.Node, path: string): void => {
    let here = path;
    const isMember = ts.isClassElement(node) || ts.isTypeElement(node);
    if (isMember && isPrivate(node)) return;
    if (
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isFunctionDeclaration(node) ||
      (isMember && !ts.isIndexSignatureDeclaration(node))
    ) {
      here += (isMember ? '.' : '') + (node.name?.getText() ?? 'constructor');
      const type = ts.isPropertySignature(node) || ts.isPropertyDeclaration(node) ? node.type : undefined;
      shown.push({ path: here, comment: commentOf(node), isNumber: isNumber(type) });
    }
    // Tables that types are derived from are not the client's.
    if (!ts.isVariableStatement(node))
      ts.forEachChild(node, (child) => {
        visit(child, here);
      });
  };
  ts.forEachChild(source, (statement) => {
    visit(statement, '');
  });
  return shown;
}

for (const name of ['index', 'node'] as const) {
  test(`${name}: whatever the client declares has a comment, its members however deep, and numbers tell their unit`, () => {
    const shown = shownIn(declarationsOf(name));
    assert.ok(shown.length > 300, `the declarations are read: ${String(shown.length)}`);
    assert.ok(
      shown.some(({ path }) => path === 'AdvertisementInput.resources.cpu'),
      'what comes from schemas is read, too',
    );
    const lacking = shown.filter(({ comment }) => comment === '').map(({ path }) => path);
    assert.deepEqual(lacking, []);
    const withoutUnit = shown
      .filter(({ comment, isNumber }) => isNumber && !UNIT.test(comment))
      .map(({ path, comment }) => `${path}: ${comment}`);
    assert.deepEqual(withoutUnit, []);
  });
}
