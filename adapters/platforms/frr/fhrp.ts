// Owns: who is VRRP active on FRR, from `show vrrp json`. A router that runs keepalived instead answers
// `vrrpd is not running`: that is unreadable, not an empty table.
import { z } from 'zod';
import type { FhrpRow } from '../../../src/model/intent.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { refusal, show, unreadable } from '../cisco-ios/dialogue.ts';
import { vrrpRow } from '../cisco-ios/fhrp.ts';
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

export function* frrFhrp(_target: Target, protocol: 'hsrp' | 'vrrp'): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'hsrp') throw refusal('no-hsrp', 'FRR has no HSRP', 'Declare the gateway as vrrp in the inventory.');
  const command = 'show vrrp json';
  const routers = parseJson(command, yield* show(command), vrrpSchema);
  return routers.flatMap(({ vrid, interface: name, v4, v6 }) => {
    const families = [['ipv4', v4] as const, ['ipv6', v6] as const];
    // Both families are always shown; one without an address is not configured.
    return families.flatMap(([family, session]) => {
      if (!session || session.addresses.length === 0) return [];
      const row = vrrpRow({ interface: name, group: vrid, family }, session.status);
      if (!row) throw unreadable(command, `status ${session.status}`);
      return [row];
    });
  });
}
