// Owns: policy-maps and what DSCP their classes take, from `show policy-map` and `show class-map`.
import { dscpWord } from '../../../src/model/dscp.ts';
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

/** A class-map while it is read: by each `match dscp` the marks; whether it asks for anything else. */
export interface ClassMatches {
  readonly all: boolean;
  readonly dscp: (readonly string[])[];
  others: number;
}

/**
 * The marks that a class takes for sure. One that wants all of its conditions takes what each of them lists, and nothing for
 * sure where it wants more than a mark.
 */
export function takenBy({ all, dscp, others }: ClassMatches): readonly string[] {
  if (!all) return [...new Set(dscp.flat())];
  return others > 0 ? [] : (dscp[0] ?? []).filter((mark) => dscp.every((list) => list.includes(mark)));
}

/** By class its DSCP. `Match   dscp af21 (18) af22 (20)`, `Match ip  dscp ef (46)`. */
export function classMaps(command: string, text: string): ReadonlyMap<string, readonly string[]> {
  const classes = new Map<string, ClassMatches>();
  let open: ClassMatches | undefined;
  for (const line of linesOf(text)) {
    const [, kind, name] = /^\s*Class Map (?:type .+ )?match-(any|all) (\S+)(?: \(id \d+\))?$/.exec(line) ?? [];
    const dscp = /^\s*Match\s+(?:ip\s+)?dscp\s+(.+)$/.exec(line)?.[1];
    if (name !== undefined) {
      open = { all: kind === 'all', dscp: [], others: 0 };
      classes.set(name, open);
    } else if (!open) throw unreadable(command, line);
    else if (dscp !== undefined) open.dscp.push(marksIn(dscp));
    else if (/^\s*Match\s/.test(line) && !/^\s*Match any$/.test(line)) open.others += 1;
  }
  return new Map([...classes].map(([name, matches]) => [name, takenBy(matches)]));
}

/** `af21 (18) af22 (20)`. */
function marksIn(list: string): readonly string[] {
  const words = list.replace(/\(\d+\)/g, '').trim();
  return words.split(/\s+/).map(dscpWord);
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
