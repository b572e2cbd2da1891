// Owns: QoS policies of type qos on NX-OS: what `show running-config ipqos` has of them, and service-policy. Queuing and
// network-qos are types of their own, with names of their own, and are none of this.
import { dscpWord } from '../../../src/model/dscp.ts';
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import type { QueryReader, ResourceDriver } from '../../../src/ports/platform.ts';
import { describeServicePolicy, type ServicePolicy, verifyServicePolicy } from '../../../src/resources/service-policy.ts';
import { interfaceConfig } from '../cisco-ios/interface-config.ts';
import { type ClassMatches, type PolicyMap, policyRows, takenBy } from '../cisco-ios/policy-maps.ts';
import { type Change, type FoundServicePolicyState, planAttached } from '../cisco-ios/service-policy.ts';
import { interfaceWord, policyWord } from '../cisco-ios/words.ts';
import { linesOf, show, unreadable } from '../dialogue.ts';

const configCommand = 'show running-config ipqos';

interface Qos {
  readonly maps: readonly PolicyMap[];
  /** By class its DSCP. */
  readonly classes: ReadonlyMap<string, readonly string[]>;
}

/** The command's own heading says that the answer is what it is: `!Command: show running-config ipqos`. */
export function qosConfig(command: string, text: string): Qos {
  const lines = linesOf(text);
  if (!lines.some((line) => /^!Command: show running-config ipqos\b/.test(line)))
    throw unreadable(command, lines[0] ?? '(nothing)');
  const maps: { policy: string; classes: { class: string; actions: string[] }[] }[] = [];
  const classes = new Map<string, ClassMatches>();
  let open: ClassMatches | undefined;
  let map: (typeof maps)[number] | undefined;
  for (const line of lines) {
    const words = line.trim();
    if (/^\S/.test(line)) [open, map] = [undefined, undefined];
    const policy = /^policy-map (?:type qos )?(?!type )(\S+)$/.exec(line)?.[1];
    const [, kind, name] = /^class-map (?:type qos )?(?:match-(any|all) )?(?!type |match-)(\S+)$/.exec(line) ?? [];
    const used = /^class (?:type qos )?(?!type )(\S+)$/.exec(words)?.[1];
    if (policy !== undefined) {
      map = { policy, classes: [] };
      maps.push(map);
    } else if (name !== undefined) {
      // Where it does not say, all conditions are wanted.
      open = { all: kind !== 'any', dscp: [], others: 0 };
      classes.set(name, open);
    } else if (map && used !== undefined) map.classes.push({ class: used, actions: [] });
    else if (map?.classes.length) map.classes.at(-1)!.actions.push(words);
    else if (open && /^match dscp \S+$/.test(words)) open.dscp.push(dscpIn(words));
    else if (open && words.startsWith('match ')) open.others += 1;
  }
  return { maps, classes: new Map([...classes].map(([each, matches]) => [each, takenBy(matches)])) };
}

/** `match dscp 10,46`, `match dscp 8-15`, `match dscp af41`. */
function dscpIn(line: string): readonly string[] {
  const list = /^match dscp (\S+)$/.exec(line)?.[1] ?? '';
  return list.split(',').flatMap((each) => {
    const range = /^(\d{1,2})-(\d{1,2})$/.exec(each);
    if (!range) return each === '' ? [] : [dscpWord(each)];
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), 63)];
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => dscpWord(String(first + index)));
  });
}

export const nxosPolicyMaps: QueryReader<'policy-maps'> = function* () {
  const { maps, classes } = qosConfig(configCommand, yield* show(configCommand));
  return policyRows(maps, classes);
};

export const nxosServicePolicy: ResourceDriver<ServicePolicy, FoundServicePolicyState> = {
  *read(resource) {
    const name = interfaceWord(resource.interface).toLowerCase();
    const config = yield* interfaceConfig(name, 'nothing');
    const command = `show policy-map interface ${name}`;
    const installed = installedIn(command, yield* show(command), resource);
    const { maps } = qosConfig(configCommand, yield* show(configCommand));
    const wanted = maps.some(({ policy }) => policy === resource.policy) ? { queueing: [] } : ('missing' as const);
    return { attached: attachedIn(config, resource), installed, wanted };
  },
  plan: (state, resource, desired): readonly Command[] => planAttached(state, resource, desired, lines),
  verify: verifyServicePolicy,
  describe: describeServicePolicy,
  value: ({ attached }) => attached,
};

/** `service-policy type qos input MARK-IN`, `no-stats` behind it or not. */
function attachedIn(config: readonly string[], { direction }: ServicePolicy): string | null {
  const found = config.map((line) => /^service-policy (?:type qos )?(input|output) (\S+)(?: no-stats)?$/.exec(line));
  return found.find((match) => match?.[1] === direction)?.[2] ?? null;
}

/**
 * [weak] `  Service-policy (qos) input:   MARK-IN` under the interface's name, seen at second hand. Without the interface's
 * name the answer is none; without a line for the direction, nothing is installed.
 */
function installedIn(command: string, text: string, { interface: name, direction }: ServicePolicy): string | null {
  const lines = linesOf(text);
  if (lines.length === 0) return null;
  const named = lines.some((line) => interfaceName(line.trim()).toLowerCase() === interfaceWord(name).toLowerCase());
  if (!named) throw unreadable(command, lines[0]!);
  const at = lines.findIndex((line) => new RegExp(`^\\s*Service-policy \\(qos\\) ${direction}:\\s+\\S+$`).test(line));
  if (at < 0) return null;
  if (!lines.slice(at).some((line) => /^\s*Class-map \(qos\):/.test(line))) throw unreadable(command, lines.at(-1)!);
  return lines[at]!.trim().split(/\s+/).at(-1)!;
}

const lines: Change = (resource, { detach, attach }) => {
  const said = `service-policy type qos ${resource.direction}`;
  return {
    kind: 'configure',
    lines: [
      `interface ${interfaceWord(resource.interface).toLowerCase()}`,
      ...(detach === null ? [] : [`no ${said} ${policyWord(detach)}`]),
      ...(attach === null ? [] : [`${said} ${policyWord(attach)}`]),
    ],
  };
};
