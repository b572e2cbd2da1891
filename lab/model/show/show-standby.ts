// Owns: `show standby` and `show standby brief`.
import { hsrpStateWord } from '../device-events.ts';
import type { HsrpGroup } from '../hsrp.ts';
import { type RouterContext, spanText } from './show-context.ts';

/** `Vlan10` → `Vl10`, as IOS shortens where columns are narrow, and in IF-MIB's ifName. */
export function shortInterface(name: string): string {
  return name.replace(/^([A-Z][a-z])[A-Za-z-]*?(?=\d)/, '$1');
}

const activeOf = (group: HsrpGroup) => (group.state === 'active' ? 'local' : (group.active?.address ?? 'unknown'));
const standbyOf = (group: HsrpGroup) => (group.state === 'standby' ? 'local' : (group.standby?.address ?? 'unknown'));

/** Columns as on IOS 15; the P column is blank where preemption is not configured. */
export function showStandbyBrief({ device }: RouterContext): string {
  const rows = device.groups().map((group) => {
    const { facts } = group;
    return [
      shortInterface(facts.interface).padEnd(12),
      String(facts.group).padEnd(5),
      String(facts.priority).padEnd(4),
      (facts.preempt ? 'P' : '').padEnd(2),
      hsrpStateWord(group.state).padEnd(8),
      activeOf(group).padEnd(16),
      standbyOf(group).padEnd(16),
      facts.virtualIp,
    ].join('');
  });
  if (rows.length === 0) return '';
  return [
    '                     P indicates configured to preempt.',
    '                     |',
    'Interface   Grp  Pri P State   Active          Standby         Virtual IP',
    ...rows,
  ].join('\n');
}

export function showStandby({ device, wall }: RouterContext): string {
  const now = wall.monotonic();
  return device
    .groups()
    .map((group) => standbyBlock(group, now))
    .join('\n');
}

function standbyBlock(group: HsrpGroup, now: number): string {
  const { facts } = group;
  const mac = `0000.0c07.ac${facts.group.toString(16).padStart(2, '0')}`;
  const seconds = (due: number | undefined) => `${(Math.max(0, (due ?? now) - now) / 1000).toFixed(3)} sec`;
  const timer = (ms: number) => (ms % 1000 === 0 ? `${ms / 1000} sec` : `${ms} msec`);
  const router = (state: 'active' | 'standby', due: number | undefined) => {
    const peer = group[state];
    if (group.state === state) return `${hsrpStateWord(state)} router is local`;
    if (!peer) return `${hsrpStateWord(state)} router is unknown`;
    return `${hsrpStateWord(state)} router is ${peer.address}, priority ${peer.priority} (expires in ${seconds(due)})`;
  };
  return [
    `${facts.interface} - Group ${facts.group}`,
    `  State is ${hsrpStateWord(group.state)}`,
    `    ${group.changes} state changes, last state change ${spanText(now - group.changedAt)}`,
    `  Virtual IP address is ${facts.virtualIp}`,
    `  Active virtual MAC address is ${group.active || group.state === 'active' ? mac : 'unknown'}`,
    `    Local virtual MAC address is ${mac} (v1 default)`,
    `  Hello time ${timer(facts.helloMs)}, hold time ${timer(facts.holdMs)}`,
    ...(group.helloDue === undefined ? [] : [`    Next hello sent in ${seconds(group.helloDue).replace('sec', 'secs')}`]),
    `  Preemption ${facts.preempt ? 'enabled' : 'disabled'}`,
    `  ${router('active', group.activeDue)}`,
    `  ${router('standby', group.standbyDue)}`,
    `  Priority ${facts.priority}${facts.priority === 100 ? ' (default 100)' : ` (configured ${facts.priority})`}`,
    `  Group name is "hsrp-${shortInterface(facts.interface)}-${facts.group}" (default)`,
  ].join('\n');
}
