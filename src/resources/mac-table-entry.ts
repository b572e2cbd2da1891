// Owns: the resource mac-table-entry: a row of a switch's MAC address table. Wanted absent of the old port: the stale dynamic
// row; wanted present of the new one it is what proves that the address has moved. Nothing is ever written to make it present.
import { z } from 'zod';
import type { Verdict } from './verdict.ts';

export const macTableEntrySchema = z.strictObject({
  kind: z.literal('mac-table-entry'),
  target: z.string(),
  interface: z.string(),
  mac: z.string(),
  vlan: z.number().int(),
});

export const macTableStateSchema = z.strictObject({
  /** Rows of this MAC in this VLAN, on whatever port. */
  rows: z.array(z.strictObject({ interface: z.string(), type: z.string() })),
});

export type MacTableEntry = z.infer<typeof macTableEntrySchema>;
export type MacTableState = z.infer<typeof macTableStateSchema>;

/** `interface` canonical on both sides. */
export function verifyMacTableEntry({ rows }: MacTableState, wanted: MacTableEntry, desired: 'present' | 'absent'): Verdict {
  const there = rows.some((row) => row.interface === wanted.interface);
  if (there === (desired === 'present')) return { effective: true };
  const found = rows.map((row) => row.interface).join(', ') || 'nowhere';
  return {
    effective: false,
    missing: there ? `It is still seen at ${wanted.interface}.` : `It is seen ${found}, not at ${wanted.interface}.`,
  };
}

export function describeMacTableEntry({ rows }: MacTableState): string {
  return rows.length === 0 ? 'seen nowhere' : `seen at ${rows.map((row) => `${row.interface} (${row.type})`).join(', ')}`;
}
