// Owns: when the functions of a policy's text run: at once where they stand, once when the pipe is built, or with its events.
import {
  type AsExpression,
  type CallExpression,
  type Expression,
  type Identifier,
  isArrowFunction,
  isAsExpression,
  isBinaryExpression,
  isBindingElement,
  isCallExpression,
  isConditionalExpression,
  isExportAssignment,
  isExportSpecifier,
  isFunctionDeclaration,
  isFunctionExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isImportSpecifier,
  isMethodDeclaration,
  isNonNullExpression,
  isObjectLiteralExpression,
  isParenthesizedExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isReturnStatement,
  isSatisfiesExpression,
  isShorthandPropertyAssignment,
  isVariableDeclaration,
  type Node,
  type NonNullExpression,
  type ParenthesizedExpression,
  type SatisfiesExpression,
} from 'typescript/unstable/ast';
import { functionAt, functionOf, type OwnSyntax } from './own-syntax.ts';

/** Where a function is called at once; whom it is given to: `event` calls it with every event, `build` where a key is new, `pipe` once. */
type Use = { readonly how: 'call' | 'away'; readonly at: Node } | { readonly how: 'event' | 'build' | 'pipe' };

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
/** Methods that are done with a function when they return. */
const atOnce = words(`every filter find findIndex findLast findLastIndex flatMap forEach map reduce reduceRight some sort toSorted
replace replaceAll from groupBy parse stringify`);
/** What a pipe's tools have that takes functions. */
const tools = words('absent allOf dampening pair perKey sequence settle suppress threshold within');
/** They call what they are given where they stand, as the pipe does. */
const builders = words('connect defer iif multicast pipe policy publish publishReplay share using');

export interface FunctionUses {
  /** Whether `at` runs while `owner` does (or the file, absent), and never later. */
  isWithin(at: Node, owner: Node | undefined): boolean;
  /** Whether all that this function has begins anew with every event. */
  isPerEvent(fn: Node | undefined): boolean;
  /** Whether it can run when an event comes, not only when the pipe is built. */
  runsWithEvents(fn: Node | undefined): boolean;
  /** `map`, of what is called: a name of rxjs, of `offbox`, or of the pipe's tools. */
  operatorOf(call: CallExpression): string | undefined;
}

export function functionUses(syntax: OwnSyntax): FunctionUses {
  const finder = new UseFinder(syntax);
  const isWithin = (at: Node, owner: Node | undefined, busy: ReadonlySet<Node> = new Set()): boolean => {
    const fn = functionOf(at);
    if (fn === owner) return true;
    if (!fn) return false;
    if (busy.has(fn)) return true;
    return finder.of(fn).every((use) => use.how === 'call' && isWithin(use.at, owner, new Set([...busy, fn])));
  };
  const isPerEvent = (fn: Node | undefined, busy: ReadonlySet<Node> = new Set()): boolean => {
    if (!fn) return false;
    if (busy.has(fn)) return true;
    const deeper = new Set([...busy, fn]);
    const outer = functionOf(fn);
    if (outer && !busy.has(outer) && isPerEvent(outer, deeper)) return true;
    return finder.of(fn).every((use) => ('at' in use ? isPerEvent(functionOf(use.at), deeper) : use.how === 'event'));
  };
  const runsWithEvents = (fn: Node | undefined, busy: ReadonlySet<Node> = new Set()): boolean => {
    if (!fn || busy.has(fn)) return false;
    const deeper = new Set([...busy, fn]);
    const isCalled = finder.of(fn).some((use) => ('at' in use ? runsWithEvents(functionOf(use.at), deeper) : use.how !== 'pipe'));
    return isCalled || runsWithEvents(functionOf(fn), deeper);
  };
  return {
    isWithin: (at, owner) => isWithin(at, owner),
    isPerEvent: (fn) => isPerEvent(fn),
    runsWithEvents: (fn) => runsWithEvents(fn),
    operatorOf: (call) => finder.operatorOf(call),
  };
}

class UseFinder {
  readonly #syntax: OwnSyntax;
  readonly #found = new Map<Node, readonly Use[]>();
  readonly #busy = new Set<Node>();

  constructor(syntax: OwnSyntax) {
    this.#syntax = syntax;
  }

  of(fn: Node): readonly Use[] {
    const known = this.#found.get(fn);
    if (known) return known;
    // For whoever asks while it is being found.
    this.#found.set(fn, []);
    const uses = this.#ofFunction(fn);
    this.#found.set(fn, uses);
    return uses;
  }

  operatorOf({ expression }: CallExpression): string | undefined {
    const callee = bare(expression);
    if (isIdentifier(callee)) {
      const imported = this.#syntax.importedAs(callee);
      if (imported !== undefined) return imported;
      const name = this.#syntax.nameOf(callee);
      const declaration = name === undefined ? undefined : this.#syntax.declarationOf(name);
      return declaration && isBindingElement(declaration) && tools.has(callee.text) ? callee.text : undefined;
    }
    if (!isPropertyAccessExpression(callee) || !isIdentifier(callee.name)) return undefined;
    const { expression: of, name } = callee;
    const isNamespace = isIdentifier(of) && this.#syntax.importedAs(of) === '*';
    return isNamespace || (tools.has(name.text) && !this.#ownFunction(name)) ? name.text : undefined;
  }

  /** Nothing where it is being looked at already. */
  #once(node: Node, look: () => readonly Use[]): readonly Use[] {
    if (this.#busy.has(node)) return [];
    this.#busy.add(node);
    try {
      return look();
    } finally {
      this.#busy.delete(node);
    }
  }

  #ofFunction(fn: Node): readonly Use[] {
    if (isArrowFunction(fn) || isFunctionExpression(fn)) return this.#ofValue(fn);
    if (isFunctionDeclaration(fn)) return fn.name ? this.#ofName(fn.name) : [{ how: 'away', at: fn }];
    return isMethodDeclaration(fn) ? this.#ofProperty(fn) : [{ how: 'away', at: fn }];
  }

  #ofName(word: Identifier): readonly Use[] {
    const name = this.#syntax.nameOf(word);
    if (name === undefined) return [{ how: 'away', at: word }];
    return this.#syntax.wordsFor(name).flatMap((use) => this.#ofWord(use));
  }

  #ofWord(word: Identifier): readonly Use[] {
    const { parent } = word;
    if (isImportSpecifier(parent) || isExportSpecifier(parent)) return [];
    return this.#ofValue(isPropertyAccessExpression(parent) && parent.name === word ? parent : word);
  }

  #ofValue(value: Node): readonly Use[] {
    return this.#once(value, () => {
      const { parent } = value;
      if (isWrapping(parent)) return this.#ofValue(parent);
      if (isCallExpression(parent))
        return parent.expression === value ? [{ how: 'call', at: parent }] : this.#ofArgument(parent, value);
      if (isVariableDeclaration(parent) && isIdentifier(parent.name)) return this.#ofName(parent.name);
      if (isPropertyAssignment(parent) || isShorthandPropertyAssignment(parent)) return this.#ofProperty(parent);
      const isGiven = isReturnStatement(parent) || (isArrowFunction(parent) && parent.body === value);
      if (isGiven) return this.#ofGiven(parent, isReturnStatement(parent) ? functionOf(parent) : parent);
      return isExportAssignment(parent) ? [] : [{ how: 'away', at: parent }];
    });
  }

  /** What a function returns is used where the function is called. */
  #ofGiven(at: Node, by: Node | undefined): readonly Use[] {
    if (!by) return [{ how: 'away', at }];
    return this.of(by).flatMap((use): readonly Use[] => (use.how === 'call' ? this.#ofValue(use.at) : [{ how: 'away', at }]));
  }

  #ofArgument(call: CallExpression, value: Node): readonly Use[] {
    const position = call.arguments.indexOf(value as Expression);
    const callee = bare(call.expression);
    const word = isPropertyAccessExpression(callee) ? callee.name : callee;
    const own = isIdentifier(word) ? this.#ownFunction(word) : undefined;
    if (own && isFunctionLikeDeclaration(own)) {
      const parameter = own.parameters[position]?.name;
      return parameter && isIdentifier(parameter) ? this.#throughParameter(parameter, call) : [{ how: 'away', at: call }];
    }
    const operator = this.operatorOf(call);
    if (operator === 'perKey') return [{ how: position === 0 ? 'event' : 'build' }];
    if (operator !== undefined) return builders.has(operator) ? [{ how: 'away', at: call }] : [{ how: 'event' }];
    const isDone = isPropertyAccessExpression(callee) && isIdentifier(word) && atOnce.has(word.text);
    return [{ how: isDone ? 'call' : 'away', at: call }];
  }

  /** Called there at once, it is called where the function is that it was given to. */
  #throughParameter(parameter: Identifier, call: CallExpression): readonly Use[] {
    const taker = functionOf(parameter);
    return this.#ofName(parameter).map((use): Use => {
      const isAtOnce = use.how === 'call' && taker !== undefined && this.#isIn(use.at, taker);
      return isAtOnce ? { how: 'call', at: call } : use;
    });
  }

  #isIn(at: Node, taker: Node): boolean {
    const fn = functionOf(at);
    if (fn === taker) return true;
    return fn !== undefined && this.of(fn).every((use) => use.how === 'call' && this.#isIn(use.at, taker));
  }

  #ofProperty(property: Node): readonly Use[] {
    const away: readonly Use[] = [{ how: 'away', at: property }];
    if (!isPropertyAssignment(property) && !isMethodDeclaration(property) && !isShorthandPropertyAssignment(property))
      return away;
    const { name, parent: object } = property;
    if (!isIdentifier(name)) return away;
    const call = object.parent;
    const operator = isObjectLiteralExpression(object) && isCallExpression(call) ? this.operatorOf(call) : undefined;
    if (operator === 'policy') return [{ how: name.text === 'pipe' ? 'pipe' : 'event' }];
    if (operator !== undefined) return [{ how: 'event' }];
    if (isShorthandPropertyAssignment(property)) return away;
    const uses = this.#ofName(name);
    return uses.length === 0 ? away : uses;
  }

  #ownFunction(word: Identifier): Node | undefined {
    const name = this.#syntax.nameOf(word);
    return name === undefined ? undefined : functionAt(this.#syntax.declarationOf(name));
  }
}

/** Beneath brackets and what only says a type. */
export function bare(node: Node): Node {
  let at = node;
  while (isDress(at)) at = at.expression;
  return at;
}

function isDress(node: Node): node is ParenthesizedExpression | AsExpression | NonNullExpression | SatisfiesExpression {
  return isParenthesizedExpression(node) || isAsExpression(node) || isNonNullExpression(node) || isSatisfiesExpression(node);
}

/** Whose value is the one of what it is made of. */
function isWrapping(node: Node): boolean {
  return (
    isDress(node) ||
    isConditionalExpression(node) ||
    (isBinaryExpression(node) && /^(\?\?|\|\||&&)$/.test(node.operatorToken.getText()))
  );
}
