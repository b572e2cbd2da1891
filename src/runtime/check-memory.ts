// Owns: what a policy remembers outside of operators: in a variable of its own, or in the index that RxJS counts. No snapshot has
// it, and after a start it begins anew. Found in a policy's file and in what it imports of its own.
import { relative, resolve } from 'node:path';
import { build } from 'esbuild';
import {
  type BinaryExpression,
  type CallExpression,
  isArrayLiteralExpression,
  isAssignmentOperator,
  isBinaryExpression,
  isCallExpression,
  isClassDeclaration,
  isDeleteExpression,
  isElementAccessExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isNewExpression,
  isObjectLiteralExpression,
  isPostfixUnaryExpression,
  isPrefixUnaryExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isShorthandPropertyAssignment,
  isSpreadElement,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import type { Policy } from '../core/policy.ts';
import type { Finding } from './check-policies.ts';
import { bare, type FunctionUses, functionUses } from './function-uses.ts';
import { functionAt, functionOf, type Name, type OwnSyntax, ownSyntax, visit } from './own-syntax.ts';
import { bundling } from './policies.ts';

interface Remembering {
  readonly policy: Pick<Policy, 'horizonMs'>;
  readonly file: string;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const ofArrays = words('push pop shift unshift splice sort reverse fill copyWithin');
const ofCollections = words('set add delete clear');
const mutating = new Set([...ofArrays, ...ofCollections]);

/** Which parameter of its first function is the index. */
const indexed: ReadonlyMap<string, number> = new Map([
  ...'concatMap every exhaustMap expand filter find findIndex first flatMap last map mergeMap single skipWhile switchMap takeWhile'
    .split(' ')
    .concat('delayWhen', 'count')
    .map((name) => [name, 1] as const),
  ...['scan', 'mergeScan', 'switchScan', 'reduce'].map((name) => [name, 2] as const),
]);
/** Where they begin a pipe it has an end, and so has its count. */
const finite = words('of from range forkJoin concat defer EMPTY read act prove notice report preflight');

const kept = "which a restart keeps, or declare there how far back it looks, as horizon: '10m', and a start replays so much";

/** What these policies remember that no snapshot has. A `horizon` brings it back. */
export async function checkMemory(policies: readonly Remembering[]): Promise<readonly Finding[]> {
  const checked = policies.filter(({ policy }) => policy.horizonMs === undefined);
  if (checked.length === 0) return [];
  const reached = await Promise.all(checked.map(({ file }) => ownFiles(file)));
  const files = [...new Set(reached.flat())].sort();
  const syntax = await ownSyntax(files, mutating);
  const uses = functionUses(syntax);
  return syntax.files.flatMap((file) => {
    const found = [...mutations(file, syntax, uses), ...indexes(file, syntax, uses)];
    return found
      .sort((a, b) => a.at.getStart() - b.at.getStart())
      .map(({ at, what, instead }): Finding => {
        const { line, character } = file.getLineAndCharacterOfPosition(at.getStart());
        const path = relative(process.cwd(), resolve(file.fileName));
        return { path, line: line + 1, column: character + 1, text: `${what}: use ${instead} in a pipe, ${kept}` };
      });
  });
}

/** A policy's file and those that go into its bundle. */
async function ownFiles(file: string): Promise<readonly string[]> {
  const made = await build({ ...bundling(resolve(file)), metafile: true }).catch(() => undefined);
  const inputs = made ? Object.keys(made.metafile.inputs).map((input) => resolve(input)) : [resolve(file)];
  return inputs.filter((input) => /\.[cm]?[jt]s$/.test(input) && !input.includes('/node_modules/'));
}

interface Found {
  readonly at: Node;
  readonly what: string;
  readonly instead: string;
}

/** Of each variable the first place where it is changed with the events. */
function mutations(file: Node, syntax: OwnSyntax, uses: FunctionUses): readonly Found[] {
  const found = new Map<Name, Found>();
  visit(file, (node) => {
    for (const { word, counts } of changedBy(node, syntax)) {
      const name = nameOf(word, syntax);
      if (name === undefined || found.has(name) || !isKept(node, owners(word, name, syntax), uses)) continue;
      const text = isIdentifier(word) ? word.text : word.parent.getText();
      const what = `${text} is changed with one event and read with the next, and begins anew at a start from a snapshot`;
      found.set(name, {
        at: word,
        what,
        instead: counts ? '`threshold` or `within`' : '`within`, `suppress`, `sequence` or `pair`',
      });
    }
  });
  return [...found.values()];
}

/** A variable's own; of `this` its class's. */
function nameOf(word: Node, syntax: OwnSyntax): Name | undefined {
  if (isIdentifier(word)) return syntax.nameOf(word);
  const of = functionOf(word)?.parent;
  return of && isClassDeclaration(of) && of.name ? syntax.nameOf(of.name) : undefined;
}

/** In which functions it is made, absent for the top of a file: a variable where it is declared, `this` wherever its class is new. */
function owners(word: Node, name: Name, syntax: OwnSyntax): readonly (Node | undefined)[] {
  const declaration = syntax.declarationOf(name);
  if (!declaration) return [];
  if (isIdentifier(word)) return [functionOf(declaration)];
  return syntax.wordsFor(name).flatMap((use) => (isNewExpression(use.parent) ? [functionOf(use)] : []));
}

/** Whether what is changed at `node`, and made in any of `owners`, is there still when the next event comes. */
function isKept(node: Node, owners: readonly (Node | undefined)[], uses: FunctionUses): boolean {
  // What waits for an answer is replayed: no snapshot is taken for it.
  const outlives = (owner: Node | undefined) => !uses.isWithin(node, owner) && !uses.isPerEvent(owner);
  return owners.length > 0 && owners.every(outlives) && uses.runsWithEvents(functionOf(node));
}

interface Changed {
  readonly word: Node;
  readonly counts: boolean;
}

function changedBy(node: Node, syntax: OwnSyntax): readonly Changed[] {
  const of = (targets: readonly Node[], counts: boolean): readonly Changed[] =>
    targets.flatMap((target) => {
      const word = rootOf(target);
      return word ? [{ word, counts }] : [];
    });
  if (isBinaryExpression(node) && isAssignmentOperator(node.operatorToken.kind))
    return of(targetsOf(node.left), isCounting(node));
  if (isPostfixUnaryExpression(node)) return of([node.operand], true);
  if (isPrefixUnaryExpression(node)) return /^(\+\+|--)/.test(node.getText()) ? of([node.operand], true) : [];
  if (isDeleteExpression(node)) return of([node.expression], false);
  if (node.kind === SyntaxKind.CallExpression) return of(changedByCall(node as CallExpression, syntax), false);
  return [];
}

const isCounting = ({ operatorToken }: BinaryExpression): boolean => /^[+-]=$/.test(operatorToken.getText());

function changedByCall(call: CallExpression, syntax: OwnSyntax): readonly Node[] {
  const callee = bare(call.expression);
  if (!isPropertyAccessExpression(callee)) return [];
  const { expression: receiver, name } = callee;
  if (receiver.getText() === 'Object') return name.text === 'assign' && call.arguments[0] ? [call.arguments[0]] : [];
  const type = syntax.receiverType(receiver)?.replace(/ \| (undefined|null)\b/g, '');
  if (type === undefined) return [];
  const isArray = /\]$|^Array</.test(type) && !/^readonly /.test(type);
  const isCollection = /^(Weak)?(Map|Set)</.test(type);
  return (isArray && ofArrays.has(name.text)) || (isCollection && ofCollections.has(name.text)) ? [receiver] : [];
}

/** `a` and `b.c` of `[a, b.c] = …`. */
function targetsOf(left: Node): readonly Node[] {
  const target = bare(left);
  if (isArrayLiteralExpression(target)) return target.elements.flatMap((element) => targetsOf(element));
  if (isSpreadElement(target)) return targetsOf(target.expression);
  if (isBinaryExpression(target)) return targetsOf(target.left);
  if (!isObjectLiteralExpression(target)) return [target];
  return target.properties.flatMap((property) => {
    if (isPropertyAssignment(property)) return targetsOf(property.initializer);
    return isShorthandPropertyAssignment(property) ? [property.name] : [];
  });
}

/** `a` of `a.b[c]`, and of what `a.get(b)` gave; `this` likewise. */
function rootOf(target: Node): Node | undefined {
  const at = bare(target);
  if (isIdentifier(at) || at.kind === SyntaxKind.ThisKeyword) return at;
  if (isPropertyAccessExpression(at) || isElementAccessExpression(at)) return rootOf(at.expression);
  if (!isCallExpression(at) || !isPropertyAccessExpression(at.expression)) return undefined;
  return /^(get|at)$/.test(at.expression.name.text) ? rootOf(at.expression.expression) : undefined;
}

function indexes(file: Node, syntax: OwnSyntax, uses: FunctionUses): readonly Found[] {
  const found = new Map<Name, Found>();
  visit(file, (node) => {
    if (!isCallExpression(node)) return;
    const operator = uses.operatorOf(node) ?? '';
    const position = indexed.get(operator);
    if (position === undefined || hasEnd(node) || uses.isPerEvent(functionOf(node))) return;
    const fn = functionGiven(node.arguments[0], syntax);
    const parameter = fn && isFunctionLikeDeclaration(fn) ? fn.parameters[position]?.name : undefined;
    if (!parameter || !isIdentifier(parameter)) return;
    const name = syntax.nameOf(parameter);
    if (name === undefined || syntax.wordsFor(name).length === 0) return;
    const what = `${parameter.text} is how many events RxJS's ${operator} has seen, and begins at 0 at a start from a snapshot`;
    found.set(name, { at: parameter, what, instead: '`threshold` or `within`' });
  });
  return [...found.values()];
}

function functionGiven(argument: Node | undefined, syntax: OwnSyntax): Node | undefined {
  if (!argument) return undefined;
  const given = bare(argument);
  if (!isIdentifier(given)) return given;
  const name = syntax.nameOf(given);
  return name === undefined ? undefined : functionAt(syntax.declarationOf(name));
}

/** Whether an operator stands in a pipe with an end: `of(1, 2).pipe(…)`. */
function hasEnd(operator: CallExpression): boolean {
  const { parent } = operator;
  if (!isCallExpression(parent) || !isPropertyAccessExpression(parent.expression)) return false;
  const source = bare(parent.expression.expression);
  const callee = isCallExpression(source) ? bare(source.expression) : source;
  const word = isPropertyAccessExpression(callee) ? callee.name : callee;
  return isIdentifier(word) && finite.has(word.text);
}
