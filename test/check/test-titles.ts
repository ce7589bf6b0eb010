/** The titles of the tests in a source file, read without running it. */
import ts from 'typescript';

/** Literal text of a title, or null for a value that only a run fills in: `%s`, `$name`, `${size}`. */
type Part = string | null;

export interface Titles {
  /** Each test's title, after those of the suites around it. */
  readonly tests: readonly (readonly Part[])[];
  /** What a run can fill in: the file's strings, numbers and property names, without the titles. */
  readonly values: readonly string[];
}

export function readTitles(file: string, source: string): Titles {
  const tests: Part[][] = [];
  const values = new Set<string>();

  const visit = (node: ts.Node, around: readonly Part[]): void => {
    if (isValue(node) && node.text !== '') values.add(node.text);
    const suite = titleIn(node, ['describe']);
    const title = titleIn(node, ['test', 'it']);
    if (title !== undefined) tests.push([...around, ...title.parts]);
    const inside = suite === undefined ? around : [...around, ...suite.parts, ' '];
    ts.forEachChild(node, (child) => {
      if (child !== (suite ?? title)?.node) visit(child, inside);
    });
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true), []);
  return { tests, values: [...values] };
}

/**
 * Whether `name` is a title in the file, or a part of one. A value in a title can be any value of the file. It is complete
 * unless the name begins or ends inside it, so a misspelt case of `test.each` is no title.
 */
export function hasTitle({ tests, values }: Titles, name: string): boolean {
  const follows = (rest: string, parts: readonly Part[]): boolean => {
    const [part, ...others] = parts;
    if (rest === '') return true;
    if (part === undefined) return false;
    return (part === null ? values : [part]).some(
      (text) => text.startsWith(rest) || (rest.startsWith(text) && follows(rest.slice(text.length), others)),
    );
  };
  const beginsIn = (part: Part, others: readonly Part[]): boolean =>
    (part === null ? values : [part]).some(
      (text) =>
        text.includes(name) ||
        endings(text).some((end) => name.startsWith(end) && follows(name.slice(end.length), others)),
    );
  return tests.some((parts) => parts.some((part, place) => beginsIn(part, parts.slice(place + 1))));
}

function endings(text: string): string[] {
  return Array.from(text, (_, place) => text.slice(place));
}

/** The title that a call of one of these functions gives, as in `test.each(table)(title, run)`. */
function titleIn(
  node: ts.Node,
  functions: readonly string[],
): { readonly node: ts.Node; readonly parts: readonly Part[] } | undefined {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return undefined;
  let callee: ts.Node = node.expression;
  let ofEach = false;
  while (!ts.isIdentifier(callee)) {
    if (ts.isPropertyAccessExpression(callee)) {
      // A test that never runs proves nothing.
      if (['skip', 'todo', 'fails'].includes(callee.name.text)) return undefined;
      ofEach ||= callee.name.text === 'each';
      callee = callee.expression;
    } else if (ts.isCallExpression(callee)) callee = callee.expression;
    else if (ts.isTaggedTemplateExpression(callee)) callee = callee.tag;
    else return undefined;
  }
  const [title] = node.arguments;
  if (!functions.includes(callee.text) || title === undefined) return undefined;
  const parts = partsOf(title).flatMap((part) => (ofEach && part !== null ? withoutPlaceholders(part) : [part]));
  return { node: title, parts };
}

function partsOf(title: ts.Expression): Part[] {
  if (ts.isStringLiteralLike(title)) return [title.text];
  if (!ts.isTemplateExpression(title)) return [null];
  return [title.head.text, ...title.templateSpans.flatMap(({ literal }) => [null, literal.text])];
}

function withoutPlaceholders(title: string): Part[] {
  return title.split(/%[sdifjo#]|\$[\w.]+/).flatMap((text, place) => (place === 0 ? [text] : [null, text]));
}

function isValue(node: ts.Node): node is ts.StringLiteralLike | ts.NumericLiteral | ts.Identifier {
  if (ts.isIdentifier(node)) return ts.isPropertyAssignment(node.parent) && node.parent.name === node;
  return ts.isStringLiteralLike(node) || ts.isNumericLiteral(node);
}
