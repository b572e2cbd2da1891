// Owns: who is VRRP active on FRR, from `show vrrp json`. A router that runs keepalived instead answers
// `vrrpd is not running`: that is unreadable, not an empty table.
import { z } from 'zod';
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { vrrpRow } from '../cisco-ios/fhrp.ts';
import { refusal, show, unreadable } from '../dialogue.ts';
import { parseJson } from './json.ts';

const sessionSchema = z.object({ status: z.string(), addresses: z.array(z.string()) });
const vrrpSchema = z.array(
  z.object({
    vrid: z.int().min(1).max(255),
    interface: z.string().min(1),
    v4: sessionSchema.optional(),
    v6: sessionSchema.optional(),
  }),
);

/** `operationalStatus` is there only where the interface is administratively up. */
const interfaceSchema = z.record(z.string(), z.object({ operationalStatus: z.string().optional() }));

/** FRR 8.4's vrrpd stays Master when its interface goes down, by carrier or by configuration, while another takes over [seen]. */
function* isUp(name: string): Dialogue<boolean> {
  const command = `show interface ${name} json`;
  const interfaces = parseJson(command, yield* show(command), interfaceSchema);
  return interfaces[name]?.operationalStatus === 'up';
}

export function* frrFhrp(_target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'hsrp') throw refusal('no-hsrp', 'FRR has no HSRP', 'Declare the gateway as vrrp in the inventory.');
  const command = 'show vrrp json';
  const routers = parseJson(command, yield* show(command), vrrpSchema);
  const rows: FhrpRow[] = [];
  for (const { vrid, interface: name, v4, v6 } of routers) {
    // Both families are always shown; one without an address is not configured.
    for (const [family, session] of [['ipv4', v4] as const, ['ipv6', v6] as const]) {
      if (!session || session.addresses.length === 0) continue;
      const row = vrrpRow({ interface: name, group: vrid, family }, session.status);
      if (!row) throw unreadable(command, `status ${session.status}`);
      const alone = row.role === 'active' && !(yield* isUp(name));
      rows.push(alone ? { ...row, role: 'other', state: 'master on an interface that is down' } : row);
    }
  }
  return rows;
}
