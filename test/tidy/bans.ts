// Owns: what may not be written where, and what to write instead. A table; comments and strings do not count.
import { type Breach, importsOf, literal, type Node, nameOf, type Rule, visit } from './source.ts';

interface Ban {
  /** A global (`Date`), or a member of one (`process.hrtime`). */
  readonly names: readonly string[];
  readonly files: RegExp;
  readonly except?: RegExp;
  readonly instead: string;
}

const pure = /^(src\/(model|resources|ports|core)\/|src\/index\.ts|policies\/)/;
const timeless = /^(src\/core|policies)\//;
const wall = 'use the Wall handed in (src/ports/wall.ts)';
const eventTime = 'use the event-time clock; time enters only as entry.at';
const timerNames = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
const clockNames = ['Date', 'performance', 'process.hrtime', 'process.uptime', 'AbortSignal.timeout', ...timerNames];
const wallRxjs = ['asyncScheduler', 'asapScheduler', 'queueScheduler', 'animationFrameScheduler', 'animationFrames'];
const timedRxjs = [
  'audit auditTime bufferTime debounce debounceTime delay delayWhen interval sample sampleTime throttle throttleTime',
  'timeInterval timeout timeoutWith timer timestamp windowTime',
].flatMap((names) => names.split(' '));

export const bans: readonly Ban[] = [
  { names: clockNames, files: timeless, instead: eventTime },
  // no-world.ts names them to take them away.
  { names: clockNames, files: /^(src|adapters)\//, except: /^src\/runtime\/(wall|apart\/no-world)\.ts$/, instead: wall },
  {
    names: ['Math.random', 'crypto'],
    files: pure,
    instead: 'chance is an input: take it from the entry, or from a seeded generator handed in',
  },
  { names: ['process', 'queueMicrotask', 'fetch'], files: pure, instead: 'the runtime does it and hands the result in' },
  { names: ['Promise'], files: timeless, instead: 'return intents; read and act answer as entries' },
  { names: ['console'], files: /^(src|adapters|policies)\//, except: /^src\/cli\//, instead: 'the log handed in, or a notice' },
];

/** Modules that hold what is banned above under names of their own. */
const bannedModules: readonly { readonly modules: RegExp; readonly files: RegExp; readonly except: RegExp }[] = [
  { modules: /^(node:)?(timers(\/promises)?|perf_hooks)$/, files: /^(src|adapters)\//, except: /^src\/runtime\/wall\.ts$/ },
];

const bindingParents = /^(VariableDeclarator|ClassDeclaration|FunctionDeclaration|Import(Default|Namespace)?Specifier)$/;
const functionLike = /Function|^TSDeclareFunction$|^TSMethodSignature$|^TSCallSignatureDeclaration$/;

/** Names the file gives to things of its own: they are no globals. Shadowing needs no scopes here: nobody reuses these names. */
function boundNames(program: Node): ReadonlySet<string> {
  const bound = new Set<string>();
  visit(program, (node) => {
    if (bindingParents.test(node.type)) bound.add(nameOf(node.id ?? node.local) ?? '');
    if (functionLike.test(node.type))
      for (const parameter of (node.params ?? []) as readonly Node[]) bound.add(nameOf(parameter) ?? '');
  });
  return bound;
}

/** The name a member access ends in: `a.b` and `a['b']`. */
function memberName(node: Node): string | undefined {
  return node.computed ? literal(node.property) : nameOf(node.property);
}

/** Whether the identifier is a mere label: a key, a member's name, the other name in an import or export. */
function isLabel(node: Node, parent: Node | undefined): boolean {
  if (!parent) return false;
  if (parent.type === 'MemberExpression') return parent.property === node && !parent.computed;
  if (parent.type === 'TSQualifiedName') return parent.right === node;
  if (/Specifier$|^TSEnumMember$|^TSNamedTupleMember$|^LabeledStatement$/.test(parent.type)) return true;
  return parent.key === node && parent.value !== node && !parent.computed && parent.shorthand !== true;
}

/** Every use of a global: `Date`, `process.hrtime`, `globalThis.setTimeout`. */
function globalsUsed(program: Node): readonly { readonly name: string; readonly at: number }[] {
  const bound = boundNames(program);
  const used: { name: string; at: number }[] = [];
  visit(program, (node, parents) => {
    const name = nameOf(node);
    const parent = parents.at(-1);
    if (name === undefined || bound.has(name) || isLabel(node, parent)) return;
    const member = parent?.type === 'MemberExpression' && parent.object === node ? memberName(parent) : undefined;
    if (name !== 'globalThis') used.push({ name: member === undefined ? name : `${name}.${member}`, at: node.start });
    else if (member !== undefined) used.push({ name: member, at: node.start });
  });
  return used;
}

const applies = (ban: { readonly files: RegExp; readonly except?: RegExp }, path: string) =>
  ban.files.test(path) && !ban.except?.test(path);

export const bannedNames: Rule = (source) => {
  const active = bans.filter((ban) => applies(ban, source.path));
  if (!source.program || active.length === 0) return [];
  return globalsUsed(source.program).flatMap(({ name, at }): Breach[] => {
    const ban = active.find(({ names }) => names.some((banned) => name === banned || name.startsWith(`${banned}.`)));
    return ban ? [{ rule: 'name', line: source.lineOf(at), text: `${name} is banned here, ${remedy(ban)}` }] : [];
  });
};

const remedy = ({ instead }: Ban) => (instead.startsWith('use ') ? instead : `use this instead: ${instead}`);

export const bannedModule: Rule = (source) =>
  importsOf(source).flatMap(({ node, specifier }): Breach[] =>
    bannedModules.some((ban) => applies(ban, source.path) && ban.modules.test(specifier))
      ? [{ rule: 'module', line: source.lineOf(node.start), text: `"${specifier}" is banned here, ${wall}` }]
      : [],
  );

/** RxJS's own schedulers are the wall clock, and a timed operator falls back on them where the argument is forgotten. */
export const wallClockRxjs: Rule = (source) => {
  const banned = source.path.startsWith('src/core/')
    ? wallRxjs
    : source.path === 'src/index.ts'
      ? [...wallRxjs, ...timedRxjs]
      : [];
  return importsOf(source)
    .filter(({ specifier }) => /^rxjs(\/|$)/.test(specifier))
    .flatMap(({ node }) => (node.specifiers ?? []) as readonly Node[])
    .flatMap((node): Breach[] => {
      const name = nameOf(node.imported) ?? nameOf(node.local) ?? '';
      if (!banned.includes(name)) return [];
      return [{ rule: 'rxjs', line: source.lineOf(node.start), text: `RxJS's ${name} is banned here, ${eventTime}` }];
    });
};

/** The core and policies are synchronous: law E1 holds for nothing that awaits. */
export const synchronous: Rule = (source) => {
  const found: Breach[] = [];
  if (!source.program || !timeless.test(source.path)) return found;
  visit(source.program, (node) => {
    const what = node.type === 'AwaitExpression' || node.await === true ? 'await' : node.async === true ? 'async' : undefined;
    if (what === undefined) return;
    const text = `${what} is banned here, use an intent whose answer comes back as an entry; awaiting lives in src/runtime`;
    found.push({ rule: 'synchronous', line: source.lineOf(node.start), text });
  });
  return found;
};
