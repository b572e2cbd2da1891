// Owns: what `offbox check` says of policies beyond their types: calls that would not replay, selectors that could mean
// more than one thing. Of RxJS's operators check-pipes.ts tells.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Selector } from '../core/selector.ts';
import type { Inventory } from '../model/target.ts';
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
  const findings: Finding[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const lines = codeOnly(await readFile(path, 'utf8')).split('\n');
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

/** A selector that could match more than one (interface, group, family) on a target, or names what is not there. */
export function checkSelectors(policies: readonly LoadedPolicy[], inventory: Inventory): readonly Finding[] {
  return policies.flatMap(({ policy, file }) =>
    policy.ensure
      ? policy.on.flatMap((selector) =>
          selectorFindings(selector, inventory).map((text) => ({ path: file, text: `${policy.name}: ${text}` })),
        )
      : [],
  );
}

function selectorFindings({ select, name, where = {} }: Selector, inventory: Inventory): readonly string[] {
  if (select !== 'meaning') return [];
  const known = (kind: 'targets' | 'gateways', named: unknown): readonly string[] =>
    typeof named !== 'string' || Object.hasOwn(inventory[kind], named)
      ? []
      : [`there is no ${kind.slice(0, -1)} "${named}". The inventory has: ${Object.keys(inventory[kind]).join(', ') || 'none'}.`];
  const found = [...known('gateways', name === 'fhrp.changed' ? where.gateway : undefined), ...known('targets', where.target)];
  if (name !== 'hsrp.state-changed' && name !== 'vrrp.state-changed') return found;
  const missing = ['interface', 'group'].filter(
    (field) => where[field] === undefined && !(field === 'interface' && where.instance !== undefined),
  );
  if (missing.length === 0) return found;
  return [
    ...found,
    `${name} without ${missing.join(' and ')} can match more than one (interface, group, family) on a target. Name ${missing.length > 1 ? 'them' : 'it'}, or declare a gateway and listen to fhrp.changed.`,
  ];
}
