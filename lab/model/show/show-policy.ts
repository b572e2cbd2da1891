// Owns: `show class-map`, `show policy-map`, `show policy-map interface`. No traffic runs: every counter is 0.
import { dscpText } from '../switch/dscp.ts';
import { classMapsOf, policyMapsOf } from '../switch/facts.ts';
import type { SwitchContext } from './show-context.ts';

export function showClassMaps({ device }: SwitchContext): string {
  const maps = [
    ...classMapsOf(device.running).map(({ name, match, dscp }, i) => ({ head: `${match} ${name} (id ${i + 1})`, dscp })),
    { head: 'match-any class-default (id 0)', dscp: [] },
  ];
  return maps
    .map(({ head, dscp }) => [` Class Map ${head}`, ...matchLines(dscp, head).map((text) => `   ${text}`), ''].join('\n'))
    .join('\n');
}

function matchLines(dscp: readonly string[], head: string): readonly string[] {
  if (head.includes('class-default')) return ['Match any '];
  return dscp.length === 0 ? ['Match none '] : dscp.map((each) => `Match  dscp ${dscpText(each)}`);
}

/** `name` absent: all of them. */
export function showPolicyMaps({ device }: SwitchContext, name?: string): string {
  const found = policyMapsOf(device.running).filter((each) => name === undefined || each.name === name);
  if (found.length === 0 && name !== undefined) return `% policy map ${name} not configured`;
  return found
    .map((policy) =>
      [
        `  Policy Map ${policy.name}`,
        ...policy.classes.flatMap((each) => [
          `    Class ${each.name}`,
          ...each.actions.map((action) => `      ${actionText(action)}`),
        ]),
      ].join('\n'),
    )
    .join('\n\n');
}

/** `bandwidth percent 40` is shown as `bandwidth 40 (%)`. */
function actionText(action: string): string {
  return action.replace(/^(bandwidth|priority) percent (\d+)$/, '$1 $2 (%)');
}

/** What is attached to a port that is down is not installed and not shown [weak: a Catalyst may show it without counters]. */
export function showPolicyMapInterface(
  { device }: SwitchContext,
  name: string,
  direction: 'input' | 'output' | 'both' = 'both',
): string {
  const port = device.ports().find((each) => each.name === name);
  if (!port || !device.isUp(name)) return '';
  const blocks = (['input', 'output'] as const).flatMap((each) => {
    const policy = port[each];
    return policy !== undefined && (direction === 'both' || direction === each) ? [attached(device, each, policy)] : [];
  });
  return blocks.length === 0 ? '' : [` ${name} `, ...blocks].join('\n\n');
}

function attached(device: SwitchContext['device'], direction: 'input' | 'output', name: string): string {
  const classMaps = classMapsOf(device.running);
  const policy = policyMapsOf(device.running).find((each) => each.name === name);
  const named = policy?.classes.filter((each) => each.name !== 'class-default') ?? [];
  const rest = policy?.classes.find((each) => each.name === 'class-default')?.actions ?? [];
  const block = (head: string, matches: readonly string[], actions: readonly string[]) =>
    [
      `    Class-map: ${head}  `,
      '      0 packets',
      ...matches.map((text) => `      ${text}`),
      ...(actions.length > 0 ? ['      Queueing', '      ', '      (total drops) 0', '      (bytes output) 0'] : []),
      ...actions.map((action) => `      ${action.replace(/^(bandwidth|priority) percent (\d+)$/, '$1 $2%')}`),
      '',
    ].join('\n');
  return [
    `  Service-policy ${direction}: ${name}`,
    '',
    ...named.map((each) => {
      const map = classMaps.find((one) => one.name === each.name);
      const matches = (map?.dscp ?? []).map((dscp) => `Match:  dscp ${dscpText(dscp)}`);
      return block(`${each.name} (${map?.match ?? 'match-any'})`, matches, each.actions);
    }),
    block('class-default (match-any)', ['Match: any '], rest),
  ].join('\n');
}
