// Owns: policy-maps and what DSCP their classes take, from `show policy-map` and `show class-map`.
import type { QueryRow } from '../../../src/model/query.ts';
import type { QueryReader } from '../../../src/ports/platform.ts';
import { linesOf, show, unreadable } from '../dialogue.ts';

export interface PolicyMap {
  readonly policy: string;
  readonly classes: readonly { readonly class: string; readonly actions: readonly string[] }[];
}

export const policyCommand = 'show policy-map';
const classCommand = 'show class-map';

/**
 * Blocks of `Policy Map X`, in them `Class Y`, in them the actions, one a line. Some releases write `Policy-map`. Those of a
 * type (`Policy Map type inspect X`) attach by other commands and are passed over.
 */
export function policyMaps(command: string, text: string): readonly PolicyMap[] {
  const maps: { policy: string; classes: { class: string; actions: string[] }[] }[] = [];
  let typed = false;
  for (const line of linesOf(text)) {
    if (/^\s*Policy[ -][Mm]ap \S/.test(line)) typed = /^\s*Policy[ -][Mm]ap type \S/.test(line);
    if (typed) continue;
    const policy = /^\s*Policy[ -][Mm]ap (\S+)$/.exec(line)?.[1];
    const name = /^\s*Class (\S+)$/.exec(line)?.[1];
    const map = maps.at(-1);
    if (policy !== undefined) maps.push({ policy, classes: [] });
    else if (map && name !== undefined) map.classes.push({ class: name, actions: [] });
    else if (map?.classes.length) map.classes.at(-1)!.actions.push(line.trim());
    else if (!map || !/^\s*Description\b/i.test(line)) throw unreadable(command, line);
  }
  return maps;
}

/** By class its DSCP. `Match   dscp af21 (18) af22 (20)`, ` Match ip  dscp ef (46)`; what it takes by other marks is not here. */
export function classMaps(command: string, text: string): ReadonlyMap<string, readonly string[]> {
  const classes = new Map<string, string[]>();
  let dscp: string[] | undefined;
  for (const line of linesOf(text)) {
    const name = /^\s*Class Map (?:type .+ )?match-(?:any|all) (\S+)(?: \(id \d+\))?$/.exec(line)?.[1];
    const match = /^\s*Match\s+(?:ip\s+)?dscp\s+(.+)$/.exec(line)?.[1];
    if (name !== undefined) {
      dscp = [];
      classes.set(name, dscp);
    } else if (!dscp) throw unreadable(command, line);
    else if (match !== undefined)
      dscp.push(
        ...match
          .replace(/\(\d+\)/g, '')
          .trim()
          .split(/\s+/)
          .map(dscpWord),
      );
  }
  return classes;
}

const dscpNames: ReadonlyMap<number, string> = new Map([
  [0, 'default'],
  ...[1, 2, 3, 4, 5, 6, 7].map((selector) => [selector * 8, `cs${selector}`] as const),
  ...[1, 2, 3, 4].flatMap((group) => [1, 2, 3].map((drop) => [group * 8 + drop * 2, `af${group}${drop}`] as const)),
  [46, 'ef'],
]);

/** The field's word where the number has one: `46` → `ef`, `AF41` → `af41`. */
export function dscpWord(written: string): string {
  const number = /^\d{1,2}$/.test(written) ? Number(written) : undefined;
  return (number === undefined ? undefined : dscpNames.get(number)) ?? written.toLowerCase();
}

export function policyRows(
  maps: readonly PolicyMap[],
  classes: ReadonlyMap<string, readonly string[]>,
): readonly QueryRow<'policy-maps'>[] {
  return maps.map(({ policy, classes: used }) => ({
    policy,
    classes: used.map(({ class: name }) => ({ class: name, dscp: [...(classes.get(name) ?? [])] })),
  }));
}

export const iosPolicyMaps: QueryReader<'policy-maps'> = function* () {
  const maps = policyMaps(policyCommand, yield* show(policyCommand));
  return policyRows(maps, classMaps(classCommand, yield* show(classCommand)));
};
