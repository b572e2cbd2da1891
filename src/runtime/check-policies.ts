// Owns: what `offbox check` says of policies beyond their types: calls that would not replay, selectors that could mean
// more than one thing. Of RxJS's operators check-pipes.ts tells, of variables that remember check-memory.ts.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Selector } from '../core/selector.ts';
import { messageOf } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';
import type { Inventory } from '../model/target.ts';
import { canonicalPrefix } from '../resources/bgp-network.ts';
import type { LoadedPolicy } from './policies.ts';

export interface Finding {
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
  readonly text: string;
}

/** What does not replay, and what to use instead. */
const banned: readonly (readonly [form: RegExp, what: string, instead: string])[] = [
  [/\bDate\b/, 'Date', "the event's own `at`"],
  [/\bperformance\b/, 'performance', "the event's own `at`"],
  [/\bset(Timeout|Interval|Immediate)\b/, 'a timer', '`settle`, or another operator that waits in event time'],
  [
    /\bMath\.random\b|\bcrypto\b/,
    'chance',
    'something of the event, such as its target: the same entries must give the same intents',
  ],
  [/\bawait\b|\basync\b|\bPromise\b/, 'waiting', '`read(…)` and `act(…)` in a pipe: their answers are entries'],
  [
    /\.subscribe\(/,
    'a subscription of your own',
    'the Observable that the pipe returns: the engine subscribes to it and catches what it throws',
  ],
  [/\bprocess\b|\bfetch\b|\brequire\(/, 'the outside world', 'the inventory and the facts: a policy is a pure function'],
  [/from ['"](?!offbox['"/]|rxjs(?:\/operators)?['"]|\.)/, 'another import', 'what `offbox` exports, or rxjs'],
];

/** Strings, regular expressions' worth of quotes, and comments do not count; line numbers stay. */
function codeOnly(source: string): string {
  return source.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    (text, offset: number) =>
      /from\s*$/.test(source.slice(Math.max(0, offset - 6), offset)) ? text : text.replace(/[^\n]/g, ' '),
  );
}

export async function lintPolicies(folder: string): Promise<readonly Finding[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(ts|js|mts|mjs)$/.test(name));
  return lintFiles(names.map((name) => join(folder, name)));
}

export async function lintFiles(paths: readonly string[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const path of paths) {
    const source = await readFile(path, 'utf8').catch(() => undefined);
    // What cannot be read is told when it is loaded.
    if (source === undefined) continue;
    findings.push(...prefixFindings(path, source));
    const lines = codeOnly(source).split('\n');
    for (const [index, line] of lines.entries()) {
      for (const [form, what, instead] of banned) {
        const match = form.exec(line);
        if (match)
          findings.push({
            path,
            line: index + 1,
            column: match.index + 1,
            text: `${what} is banned in a policy, use ${instead}`,
          });
      }
    }
  }
  return findings;
}

const literal = String.raw`'([^'\\\n]*)'|"([^"\\\n]*)"`;
/** The second argument of a call, where it is a text or the name of one. */
const networkCall = new RegExp(String.raw`\bbgpNetwork\(\s*(?:[\w.[\]!?]+|\{[^{}]*\})\s*,\s*(?:${literal}|(\w+))\s*[,)]`, 'dg');

/** A prefix that is none would stop the policy at its first event. Only what is written out is seen. */
function prefixFindings(path: string, source: string): readonly Finding[] {
  const code = withoutComments(source);
  return [...code.matchAll(networkCall)].flatMap((match): readonly Finding[] => {
    const written = match[1] ?? match[2] ?? namedText(code, match[3] ?? '');
    if (written === undefined) return [];
    try {
      canonicalPrefix(written);
      return [];
    } catch (thrown) {
      const [start] = match.indices?.slice(1).find((place) => place !== undefined) ?? [match.index];
      return [{ path, ...placeOf(source, match[3] === undefined ? start - 1 : start), text: messageOf(thrown) }];
    }
  });
}

/** `const prefix = '23.0.0.0/8'`. */
function namedText(code: string, name: string): string | undefined {
  const match = new RegExp(String.raw`\bconst\s+${name}\s*(?::\s*string\s*)?=\s*(?:${literal})`).exec(code);
  return match?.[1] ?? match?.[2];
}

function placeOf(source: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = source.slice(0, offset).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

/** Places stay; texts do too. */
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (part) =>
    part.startsWith('/') ? part.replace(/[^\n]/g, ' ') : part,
  );

interface Objection {
  readonly text: string;
  /** The name that is meant, as it stands in the file. */
  readonly named?: string;
}

/** A selector that could match more than one (interface, group, family) on a target, or names what is not there. */
export async function checkSelectors(
  policies: readonly Pick<LoadedPolicy, 'policy' | 'file'>[],
  inventory: Inventory,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    policies.map(async ({ policy, file }) => {
      const source = withoutComments(await readFile(file, 'utf8').catch(() => ''));
      const selectors = [...policy.on, ...(policy.hold?.until ?? [])];
      const objections = selectors.flatMap((selector) => [
        ...unknownNames(selector, inventory),
        ...(policy.ensure ? severalRows(selector) : []),
      ]);
      return objections.map(({ text, named }): Finding => {
        const offset = named === undefined ? -1 : Math.max(source.indexOf(`'${named}'`), source.indexOf(`"${named}"`));
        return { path: file, ...(offset < 0 ? {} : placeOf(source, offset)), text: `${policy.name}: ${text}` };
      });
    }),
  );
  return findings.flat();
}

function unknownNames({ name = '', where = {} }: Selector, inventory: Inventory): readonly Objection[] {
  const unknown = (kind: 'targets' | 'gateways', named: unknown): readonly Objection[] => {
    const there = Object.keys(inventory[kind]);
    if (typeof named !== 'string' || there.includes(named)) return [];
    const meant = nearest(named, there);
    const remedy = meant ? `Did you mean ${meant}?` : `The inventory has: ${there.join(', ') || 'none'}.`;
    return [{ text: `there is no ${kind.slice(0, -1)} "${named}". ${remedy}`, named }];
  };
  const { gateway, target, from, to } = where;
  return [
    ...(name === 'fhrp.changed' ? unknown('gateways', gateway) : []),
    ...unknown('targets', target),
    // Elsewhere they are states.
    ...(name.startsWith('vm.') ? [...unknown('targets', from), ...unknown('targets', to)] : []),
  ];
}

function severalRows({ select, name, where = {} }: Selector): readonly Objection[] {
  if (select !== 'meaning' || (name !== 'hsrp.state-changed' && name !== 'vrrp.state-changed')) return [];
  const missing = ['interface', 'group'].filter(
    (field) => where[field] === undefined && !(field === 'interface' && where.instance !== undefined),
  );
  if (missing.length === 0) return [];
  const text = `${name} without ${missing.join(' and ')} can match more than one (interface, group, family) on a target. Name ${missing.length > 1 ? 'them' : 'it'}, or declare a gateway and listen to fhrp.changed.`;
  return [{ text }];
}
