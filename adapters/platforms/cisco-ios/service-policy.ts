// Owns: service-policy on an IOS command line: what the interface has configured, what its forwarding shows, and whether
// the policy-map that is wanted there is one that can be put there.
import type { Command } from '../../../src/ports/actuator.ts';
import type { Dialogue, ResourceDriver } from '../../../src/ports/platform.ts';
import {
  describeServicePolicy,
  type ServicePolicy,
  type ServicePolicyState,
  verifyServicePolicy,
} from '../../../src/resources/service-policy.ts';
import { linesOf, refusal, show, unreadable } from '../dialogue.ts';
import { interfaceConfig } from './interface-config.ts';
import { type PolicyMap, policyCommand, policyMaps } from './policy-maps.ts';
import { interfaceWord, policyWord } from './words.ts';

export interface FoundServicePolicyState extends ServicePolicyState {
  /** The policy-map wanted: not configured at all, or the queueing actions that it has. */
  readonly wanted: 'missing' | { readonly queueing: readonly string[] };
}

export const iosServicePolicy: ResourceDriver<ServicePolicy, FoundServicePolicyState> = {
  read: readServicePolicy,
  // Which cards queue on input differs by platform here: the router itself says.
  plan: (state, resource, desired) => planAttached(state, resource, desired, configureLines),
  verify: verifyServicePolicy,
  describe: describeServicePolicy,
  value: ({ attached }) => attached,
};

export function* readServicePolicy(resource: ServicePolicy): Dialogue<FoundServicePolicyState> {
  const config = yield* interfaceConfig(interfaceWord(resource.interface));
  const installed = yield* installedPolicy(resource);
  const wanted = theMap(policyMaps(policyCommand, yield* show(policyCommand)), resource.policy);
  return { attached: attachedIn(config, resource.direction), installed, wanted };
}

function attachedIn(config: readonly string[], direction: ServicePolicy['direction']): string | null {
  const found = config
    .map((line) => /^service-policy (input|output) (\S+)$/.exec(line))
    .find((match) => match?.[1] === direction);
  return found?.[2] ?? null;
}

/**
 * What `show policy-map interface X output` shows; nothing where none is. A child policy has no direction in its heading.
 * Every policy ends in a class: without one after the heading, the name may have been cut.
 */
export function* installedPolicy({ interface: name, direction }: ServicePolicy): Dialogue<string | null> {
  const command = `show policy-map interface ${interfaceWord(name)} ${direction}`;
  const lines = linesOf(yield* show(command));
  if (lines.length === 0) return null;
  const at = lines.findIndex((line) => new RegExp(`^\\s*Service-policy ${direction}: \\S+$`).test(line));
  if (at < 0 || !lines.slice(at).some((line) => /^\s*Class-map: \S/.test(line))) throw unreadable(command, lines.at(-1)!);
  return lines[at]!.trim().split(' ').at(-1)!;
}

const queueing: readonly (readonly [action: string, line: RegExp])[] = [
  ['bandwidth', /^bandwidth\b/i],
  ['priority', /^priority\b/i],
  ['queue-limit', /^queue-limit\b/i],
  ['shape', /^(?:shape\b|(?:average|peak) rate traffic shaping)/i],
  ['random-detect', /^(?:random-detect\b|.*\bwred\b|exponential weight\b)/i],
];

function theMap(maps: readonly PolicyMap[], policy: string): FoundServicePolicyState['wanted'] {
  // One name may be listed again where it is attached by another type.
  const found = maps.filter((map) => map.policy === policy);
  if (found.length === 0) return 'missing';
  const actions = found.flatMap(({ classes }) => classes.flatMap((each) => each.actions));
  return { queueing: queueing.filter(([, line]) => actions.some((action) => line.test(action))).map(([action]) => action) };
}

/** How a change is said on a platform: `detach` is what stands there and goes, `attach` what comes. */
export type Change = (
  resource: ServicePolicy,
  change: { readonly detach: string | null; readonly attach: string | null },
) => Command;

export const configureLines: Change = (resource, { detach, attach }) => {
  const said = `service-policy ${resource.direction}`;
  return {
    kind: 'configure',
    lines: [
      `interface ${interfaceWord(resource.interface)}`,
      ...(detach === null ? [] : [`no ${said} ${policyWord(detach)}`]),
      ...(attach === null ? [] : [`${said} ${policyWord(attach)}`]),
    ],
  };
};

/** One transaction: the old one goes in the same as the new one comes. Whether it may go was decided before. */
export function planAttached(
  { attached, wanted }: FoundServicePolicyState,
  resource: ServicePolicy,
  desired: 'present' | 'absent',
  change: Change,
): readonly Command[] {
  if ((attached === resource.policy) === (desired === 'present')) return [];
  if (desired === 'absent') return [change(resource, { detach: attached, attach: null })];
  if (wanted === 'missing') {
    throw refusal(
      'no-policy-map',
      `${resource.target} has no policy-map ${resource.policy}`,
      'Configure it there, or correct its name in the policy.',
    );
  }
  return [change(resource, { detach: attached, attach: resource.policy })];
}

/** What the model of IOS-XE forbids on input (`must` in Cisco-IOS-XE-policy), over the command line as well. */
export function refuseQueueingOnInput({ attached, wanted }: FoundServicePolicyState, resource: ServicePolicy): void {
  if (resource.direction === 'output' || wanted === 'missing' || attached === resource.policy) return;
  if (wanted.queueing.length === 0) return;
  throw refusal(
    'queueing-on-input',
    `policy-map ${resource.policy} on ${resource.target} has ${wanted.queueing.join(', ')}, which cannot be done on input`,
    'Attach it on output, or take another policy-map.',
  );
}
