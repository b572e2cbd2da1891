// Owns: the resource sticky-mac: a MAC address that port security has learned sticky on a switch port. That table is
// another than the MAC address table, and does not age.
import { z } from 'zod';
import type { Verdict } from './verdict.ts';

export const stickyMacSchema = z.strictObject({
  kind: z.literal('sticky-mac'),
  target: z.string(),
  interface: z.string(),
  /** Lower case, colons. */
  mac: z.string(),
  vlan: z.number().int(),
});

export const stickyMacStateSchema = z.strictObject({
  /** Every secure row of this MAC in this VLAN on this port. `configured` ones are somebody's decision and are left. */
  rows: z.array(z.strictObject({ type: z.enum(['sticky', 'dynamic', 'configured']), interface: z.string() })),
  /** `secure-shutdown` is err-disabled: reported, never bounced, for other VMs live there. */
  status: z.string(),
  violation: z.enum(['shutdown', 'restrict', 'protect']),
});

export type StickyMac = z.infer<typeof stickyMacSchema>;
export type StickyMacState = z.infer<typeof stickyMacStateSchema>;

export function verifyStickyMac(state: StickyMacState, desired: 'present' | 'absent'): Verdict {
  const sticky = state.rows.some(({ type }) => type === 'sticky');
  if (sticky === (desired === 'present')) return { effective: true };
  return { effective: false, missing: sticky ? 'The port has the address still, or again.' : 'The port has not learned it.' };
}

export function describeStickyMac({ rows, status, violation }: StickyMacState): string {
  const types = rows.map(({ type }) => type);
  const port = status === 'secure-shutdown' ? ', the port is err-disabled' : '';
  return `${types.length > 0 ? `secured (${types.join(', ')})` : 'not secured'}, violation ${violation}${port}`;
}
