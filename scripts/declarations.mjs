// Joins the declarations of a module and of everything it uses into one file, for packages and pages that have no others. It supports only
// what our own declarations contain, and fails on anything else.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { describeMembers } from './described.mjs';

const FORMAT = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;

/** The statement at the top of a file that declares something. */
function statementOf(declaration) {
  let node = declaration;
  while (!ts.isSourceFile(node.parent)) node = node.parent;
  return node;
}

/**
 * @param {string} folder The folder of compiled modules whose declarations (`….d.ts`) are joined.
 * @param {string[]} entries Modules in it, without the ending.
 * @returns {Promise<string[]>} One module for each entry.
 */
export async function joinDeclarations(folder, entries) {
  const files = entries.map((entry) => resolve(folder, `${entry}.d.ts`));
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
  });
  const schemas = await schemasOf(program, resolve(folder));
  return files.map((file) => joinInto(program, program.getSourceFile(file), resolve(folder), schemas));
}

const isFromSchema = (statement) =>
  ts.isTypeAliasDeclaration(statement) && /\bz\.\w+</.test(statement.getText());

const targetOf = (checker, symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** By statements: the schemas that types are derived from, out of the modules as they run. They know what is said about members. */
async function schemasOf(program, root) {
  const checker = program.getTypeChecker();
  const schemas = new Map();
  for (const source of program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(root))) {
    for (const statement of source.statements.filter(isFromSchema)) {
      const [query] = statement.type.typeArguments ?? [];
      if (query === undefined || !ts.isTypeQueryNode(query)) continue;
      const [declaration] = targetOf(checker, checker.getSymbolAtLocation(query.exprName)).declarations;
      const module = declaration.getSourceFile().fileName.replace(/\.d\.ts$/, '.js');
      schemas.set(statement, (await import(pathToFileURL(module).href))[query.exprName.text]);
    }
  }
  return schemas;
}

/** @param {string} root Declarations elsewhere are the platform's. */
function joinInto(program, source, root, schemas) {
  const checker = program.getTypeChecker();
  const isOurs = (node) => node.getSourceFile().fileName.startsWith(root);
  const fail = (node, problem) => {
    throw new Error(`${node.getSourceFile().fileName}: ${node.getText()} ${problem}`);
  };
  const exportOf = (path, name) => {
    const module = program.getSourceFile(path);
    return (
      module &&
      checker.getExportsOfModule(checker.getSymbolAtLocation(module)).find((each) => each.name === name)
    );
  };
  const joined = new Map();
  const texts = [];

  const take = (target) => {
    for (const declaration of target.declarations ?? []) {
      if (!isOurs(declaration)) continue;
      const statement = statementOf(declaration);
      const before = joined.get(target.name);
      if (before === statement) continue;
      if (before !== undefined) fail(statement, `is called as in ${before.getSourceFile().fileName}`);
      joined.set(target.name, statement);
      const comment = statement.getSourceFile().text.slice(statement.getFullStart(), statement.getStart());
      const text = isFromSchema(statement) ? writtenOut(statement) : statement.getText();
      texts.push(comment.trimStart() + text.replace(/^export /, ''));
      if (!isFromSchema(statement)) visit(statement);
    }
  };
  /** The shape of what a schema takes, as a type: who uses it has no schemas. */
  const writtenOut = (statement) => {
    const type = checker.getTypeAtLocation(statement.name);
    const elsewhere = new Map();
    // Types that the statement's module does not import come with the path of the module that has them.
    const written = checker
      .typeToString(type, statement, FORMAT)
      .replace(/import\("([^"]+)"\)\.(\w+)/g, (whole, path, name) => {
        const symbol = exportOf(`${path}.d.ts`, name);
        if (symbol === undefined) return whole;
        elsewhere.set(name, symbol);
        return name;
      });
    const text = `type ${statement.name.text} = ${written};`;
    const { Alias, Type, Value } = ts.SymbolFlags;
    const scope = checker.getSymbolsInScope(statement, Alias | Type | Value);
    const visitWritten = (node) => {
      if (ts.isImportTypeNode(node)) fail(statement, `cannot be written out: ${text}`);
      const name =
        ts.isTypeReferenceNode(node) || ts.isTypeQueryNode(node) ? (node.typeName ?? node.exprName) : null;
      if (name !== null) {
        if (!ts.isIdentifier(name)) fail(statement, `cannot be written out: ${text}`);
        const symbol = elsewhere.get(name.text) ?? scope.find((each) => each.name === name.text);
        if (symbol === undefined) fail(statement, `is made of ${name.text}, which its module does not know`);
        take(targetOf(checker, symbol));
      }
      ts.forEachChild(node, visitWritten);
    };
    visitWritten(ts.createSourceFile('type.ts', text, ts.ScriptTarget.ES2022, true));
    const schema = schemas.get(statement);
    if (schema === undefined) fail(statement, 'is derived from a schema that its module does not export');
    return describeMembers(text, schema);
  };
  const visit = (node) => {
    if (ts.isImportTypeNode(node)) fail(node, 'cannot be joined');
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      const imported = symbol?.declarations?.find(
        (each) => ts.isImportSpecifier(each) || ts.isNamespaceImport(each),
      );
      if (imported !== undefined && !(targetOf(checker, symbol).declarations ?? []).every(isOurs))
        fail(node, 'is of another package, which the joined declarations cannot ask for');
      const target = symbol === undefined ? undefined : targetOf(checker, symbol);
      if (target?.declarations?.some(isAtTop)) take(target);
    }
    ts.forEachChild(node, visit);
  };
  const isAtTop = (declaration) =>
    isOurs(declaration) && !ts.isSourceFile(declaration) && isTop(statementOf(declaration), declaration);

  const exported = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .map((symbol) => ({ name: symbol.name, target: targetOf(checker, symbol) }));
  for (const { target } of exported) take(target);
  const names = exported.map(({ name, target }) =>
    name === target.name ? name : `${target.name} as ${name}`,
  );
  return `${texts.join('\n\n')}\n\nexport { ${names.sort().join(', ')} };\n`;
}

/** Whether a declaration is what a statement declares, and not a member or parameter in it. */
function isTop(statement, declaration) {
  if (!ts.isVariableStatement(statement)) return statement === declaration;
  return statement.declarationList.declarations.includes(declaration);
}
