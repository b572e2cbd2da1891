// Owns: the syntax of policies and of what they import of their own, and what every name in it stands for. TypeScript tells, as a
// process; `offbox` and rxjs are empty modules to it: what is imported from them is known by its name.
import { dirname, join } from 'node:path';
import {
  type Identifier,
  isArrowFunction,
  isBindingElement,
  isCallExpression,
  isClassDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportSpecifier,
  isMethodDeclaration,
  isNamespaceImport,
  isParameterDeclaration,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isShorthandPropertyAssignment,
  isStringLiteral,
  isVariableDeclaration,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast';
import { API, type Project, SymbolFlags, type Symbol as TsSymbol } from 'typescript/unstable/async';

/** A variable, a parameter, a function, a class, a property: by TypeScript's number. */
export type Name = number;

export interface OwnSyntax {
  readonly files: readonly SourceFile[];
  /** What a word stands for; one that is imported from a file of one's own stands for what it is there. */
  nameOf(word: Identifier): Name | undefined;
  /** Where a name of one's own is declared. */
  declarationOf(name: Name): Node | undefined;
  /** Every word that stands for it, but the one that declares it. */
  wordsFor(name: Name): readonly Identifier[];
  /** `map` of `import { map as each } from 'rxjs'`, `* ` of a namespace. */
  importedAs(word: Identifier): string | undefined;
  /** The type of what a method is called on, in TypeScript's words. */
  receiverType(receiver: Node): string | undefined;
}

const options = {
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  module: 'nodenext',
  target: 'es2024',
  types: [],
  allowJs: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
};

/** `mutating` says of which methods the receiver's type is asked for. */
export async function ownSyntax(paths: readonly string[], mutating: ReadonlySet<string>): Promise<OwnSyntax> {
  const folder = dirname(paths[0]!);
  const project = join(folder, 'offbox-check.tsconfig.json');
  const empty = join(folder, 'offbox-check.empty.d.ts');
  const modules = { offbox: [empty], rxjs: [empty], 'rxjs/operators': [empty] };
  const made: Readonly<Record<string, string>> = {
    [project]: JSON.stringify({ compilerOptions: { ...options, paths: modules }, files: paths }),
    [empty]: 'declare const anything: any; export = anything;',
  };
  const api = new API({
    cwd: folder,
    fs: { readFile: (path) => made[path], fileExists: (path) => (Object.hasOwn(made, path) ? true : undefined) },
  });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [project] });
    const opened = snapshot.getProjects().find(({ configFileName }) => configFileName === project);
    if (!opened) throw new Error('TypeScript opens no project of the policies');
    const files = await Promise.all(paths.map((path) => opened.program.getSourceFile(path)));
    return await named(
      files.filter((file) => file !== undefined),
      opened,
      mutating,
    );
  } finally {
    await api.close();
  }
}

async function named(files: readonly SourceFile[], project: Project, mutating: ReadonlySet<string>): Promise<OwnSyntax> {
  const { words, receivers } = gathered(files, mutating);
  const { checker } = project;
  const symbols = await checker.getSymbolAtLocation(words);
  const types = await checker.getTypeAtLocation(receivers);
  const told = await Promise.all(types.map((type) => type && checker.typeToString(type)));
  const names = new Map<Identifier, Name>();
  const byPlace = new Map<string, Name>();
  // A method of an object has a symbol of its own beside its class's: both are declared at one place.
  const idOf = ({ id, name, declarations: [place] }: TsSymbol): Name => {
    const key = place ? `${place.path} ${place.index} ${name}` : `${id}`;
    byPlace.set(key, byPlace.get(key) ?? id);
    return byPlace.get(key)!;
  };
  const imported = new Map<Name, string>();
  const aliases = new Map<Name, TsSymbol>();
  for (const [index, word] of words.entries()) {
    const shorthand = isShorthandPropertyAssignment(word.parent)
      ? await checker.getShorthandAssignmentValueSymbol(word.parent)
      : undefined;
    const symbol = shorthand ?? symbols[index];
    if (!symbol) continue;
    const name = idOf(symbol);
    names.set(word, name);
    const from = importFrom(word);
    if (from?.own === false) imported.set(name, from.name);
    else if (symbol.flags & SymbolFlags.Alias) aliases.set(name, symbol);
  }
  const targets = new Map<Name, Name>();
  for (const [name, symbol] of aliases) if (!imported.has(name)) targets.set(name, idOf(await checker.getAliasedSymbol(symbol)));
  const nameOf = (word: Identifier): Name | undefined => {
    const name = names.get(word);
    return name === undefined ? undefined : (targets.get(name) ?? name);
  };
  const typeOf = new Map(receivers.map((receiver, index) => [receiver, told[index]]));
  return { files, nameOf, ...declared(words, nameOf), receiverType: (receiver) => typeOf.get(receiver), importedAs };

  function importedAs(word: Identifier): string | undefined {
    const name = names.get(word);
    return name === undefined ? undefined : imported.get(name);
  }
}

function gathered(files: readonly SourceFile[], mutating: ReadonlySet<string>) {
  const words: Identifier[] = [];
  const receivers: Node[] = [];
  for (const file of files)
    visit(file, (node) => {
      if (isIdentifier(node)) words.push(node);
      if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return;
      if (mutating.has(node.expression.name.text)) receivers.push(node.expression.expression);
    });
  return { words, receivers };
}

function declared(words: readonly Identifier[], nameOf: (word: Identifier) => Name | undefined) {
  const declarations = new Map<Name, Node>();
  const uses = new Map<Name, Identifier[]>();
  for (const word of words) {
    const name = nameOf(word);
    if (name === undefined) continue;
    if (declares(word)) declarations.set(name, word.parent);
    else uses.set(name, [...(uses.get(name) ?? []), word]);
  }
  return {
    declarationOf: (name: Name) => declarations.get(name),
    wordsFor: (name: Name): readonly Identifier[] => uses.get(name) ?? [],
  };
}

function declares(word: Identifier): boolean {
  const { parent } = word;
  const isDeclaration =
    isVariableDeclaration(parent) ||
    isParameterDeclaration(parent) ||
    isBindingElement(parent) ||
    isFunctionDeclaration(parent) ||
    isFunctionExpression(parent) ||
    isClassDeclaration(parent) ||
    isMethodDeclaration(parent) ||
    isPropertyAssignment(parent);
  return isDeclaration && parent.name === word;
}

/** What an import's word names, and whether of a file of one's own. */
function importFrom(word: Identifier): { readonly name: string; readonly own: boolean } | undefined {
  const { parent } = word;
  if (!(isImportSpecifier(parent) || isNamespaceImport(parent)) || parent.name !== word) return undefined;
  let node: Node = parent;
  while (!isImportDeclaration(node)) node = node.parent;
  if (!isStringLiteral(node.moduleSpecifier)) return undefined;
  const name = isImportSpecifier(parent) ? (parent.propertyName ?? parent.name).text : '*';
  return { name, own: node.moduleSpecifier.text.startsWith('.') };
}

export function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  node.forEachChild((child) => visit(child, see));
}

/** The function that a node is in; absent at the top of a file. */
export function functionOf(node: Node): Node | undefined {
  let at = node.parent as Node | undefined;
  while (at && !isFunctionLikeDeclaration(at)) at = at.parent as Node | undefined;
  return at;
}

/** What a declaration makes a function: itself, or what a `const` begins with. */
export function functionAt(declaration: Node | undefined): Node | undefined {
  if (!declaration) return undefined;
  if (isFunctionLikeDeclaration(declaration)) return declaration;
  if (!isVariableDeclaration(declaration) && !isPropertyAssignment(declaration)) return undefined;
  const { initializer } = declaration;
  return initializer && (isArrowFunction(initializer) || isFunctionExpression(initializer)) ? initializer : undefined;
}
