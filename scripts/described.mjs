// Moves the descriptions of schemas into the types that are generated from them, where editors show them, and strips them from the code that
// clients load.
import ts from 'typescript';

/** The description of a schema, or of the one that it wraps. */
function descriptionOf(schema) {
  for (let inner = schema; inner !== undefined; [inner] = insideOf(inner)) {
    if (inner.description !== undefined) return inner.description;
    if (inner.def.type === 'array' || inner.def.type === 'union') return undefined;
  }
  return undefined;
}

/** The schemas that one wraps or combines, without members. */
function insideOf({ def }) {
  if (def.type === 'union') return def.options;
  if (def.type === 'array') return [def.element];
  // The input and output of a transformation have the same members.
  if (def.type === 'pipe') return [def.in.def.type === 'transform' ? def.out : def.in];
  return def.innerType === undefined ? [] : [def.innerType];
}

/** The objects that a schema may stand for, alone or in a list. */
function objectsIn(schema) {
  return schema.def.type === 'object' ? [schema] : insideOf(schema).flatMap(objectsIn);
}

/**
 * Puts a comment before each member of a type that its schema describes.
 * @param {string} text `type … = …;`, all that it is made of written out.
 * @param schema The zod schema that it is the input or output of.
 * @returns {string} The same type, one member a line.
 */
export function describeMembers(text, schema) {
  const source = ts.createSourceFile('type.ts', text, ts.ScriptTarget.ES2022, true);
  const comments = [];
  const visit = (node, objects) => {
    if (ts.isPropertySignature(node)) {
      const member = objects.map(({ def }) => def.shape[node.name.text]).find((each) => each !== undefined);
      if (member === undefined) return;
      const description = descriptionOf(member);
      if (description !== undefined) comments.push({ at: node.getStart(), text: `/** ${description}. */\n` });
      visit(node.type, objectsIn(member));
    } else if (ts.isIndexSignatureDeclaration(node)) {
      const further = objects.flatMap(({ def }) =>
        def.catchall === undefined ? [] : objectsIn(def.catchall),
      );
      visit(node.type, further);
    } else ts.forEachChild(node, (child) => visit(child, objects));
  };
  visit(source.statements[0], objectsIn(schema));
  let described = text;
  for (const { at, text: comment } of comments.reverse())
    described = `${described.slice(0, at)}\n${comment}${described.slice(at)}`;
  return ts
    .createPrinter()
    .printFile(ts.createSourceFile('type.ts', described, ts.ScriptTarget.ES2022, true))
    .trim();
}

/**
 * @param {string} code A module in JavaScript.
 * @returns {string} The same without calls of `describe`.
 */
export function withoutDescriptions(code) {
  const source = ts.createSourceFile('module.js', code, ts.ScriptTarget.ES2022, true);
  const calls = [];
  const visit = (node) => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'describe'
    )
      calls.push({ from: node.expression.expression.getEnd(), to: node.getEnd() });
    ts.forEachChild(node, visit);
  };
  visit(source);
  calls.sort((a, b) => b.from - a.from);
  return calls.reduce((text, { from, to }) => text.slice(0, from) + text.slice(to), code);
}
