// Owns: what a reading shows to be otherwise than the facts say, as the events that were lost: `because: resync`.
import { type Reading, rowsOf } from '../../model/entry.ts';
import type { Event } from '../../model/event.ts';
import { hsrpStateSchema, type Meaning, vrrpStateSchema } from '../../model/meaning.ts';
import type { FhrpRow } from '../../model/query.ts';
import { type Facts, type GatewayMember, rowOf } from '../facts.ts';

/** Must be called before the reading is folded. A member never heard of is no lost event. */
export function deriveResync(facts: Facts, reading: Reading): readonly Event[] {
  const rows = rowsOf(reading, 'fhrp');
  if (!rows) return [];
  const events: Event[] = [];
  for (const member of facts.membersOn(reading.target)) {
    const row = rowOf(member, rows);
    const known = facts.fhrp(member.gateway, reading.target);
    if (!row || !known || known.role === row.role) continue;
    const meaning = stateChange(member, row, known.state);
    const origin = { source: 'reading', peer: reading.target, transport: 'local', trust: 'authenticated', raw: '' } as const;
    if (meaning) events.push({ target: reading.target, meaning, because: 'resync', origin });
  }
  return events;
}

function stateChange(member: GatewayMember, row: FhrpRow, before: string): Meaning | undefined {
  const name = member.interface === undefined ? {} : { interface: member.interface };
  if (member.protocol === 'hsrp') {
    const to = hsrpStateSchema.safeParse(row.state);
    const from = hsrpStateSchema.safeParse(before);
    if (!to.success || member.group === undefined) return undefined;
    return {
      kind: 'hsrp.state-changed',
      ...name,
      group: member.group,
      ...(from.success ? { from: from.data } : {}),
      to: to.data,
    };
  }
  const to = vrrpStateSchema.safeParse(row.state);
  const from = vrrpStateSchema.safeParse(before);
  if (!to.success) return undefined;
  const group = member.group === undefined ? {} : { group: member.group };
  return {
    kind: 'vrrp.state-changed',
    ...name,
    ...group,
    family: member.family,
    ...(from.success ? { from: from.data } : {}),
    to: to.data,
  };
}
