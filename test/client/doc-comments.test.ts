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

const hasComment = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).length > 0;

for (const name of ['index', 'node'] as const) {
  test(`${name}: every class, interface, type and function of the client, and every member, has a comment`, () => {
    const lacking: string[] = [];
    let members = 0;
    for (const statement of declarationsOf(name).statements) {
      const isShown =
        ts.isClassDeclaration(statement) ||
        ts.isInterfaceDeclaration(statement) ||
        ts.isTypeAliasDeclaration(statement) ||
        ts.isFunctionDeclaration(statement);
      if (!isShown) continue;
      const title = statement.name?.text ?? '';
      if (!hasComment(statement)) lacking.push(title);
      if (!ts.isClassDeclaration(statement) && !ts.isInterfaceDeclaration(statement)) continue;
      for (const member of statement.members) {
        if (isPrivate(member)) continue;
        members += 1;
        if (!hasComment(member)) lacking.push(`${title}.${member.name?.getText() ?? 'constructor'}`);
      }
    }
    assert.ok(members > 50, 'the declarations are read');
    assert.deepEqual(lacking, []);
  });
}
