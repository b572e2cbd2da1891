// Owns: admission: whose event it is. The sender's address decides; the host a relayed message names is only a claim.
import type { Event } from '../model/event.ts';
import { journalEntryBytesMax } from '../model/limits.ts';
import type { Inventory } from '../model/target.ts';

const byAddress = new WeakMap<Inventory, ReadonlyMap<string, string>>();

/** The target an address belongs to. */
export function targetOf(inventory: Inventory, address: string): string | undefined {
  let table = byAddress.get(inventory);
  if (!table) {
    table = new Map(
      Object.entries(inventory.targets).flatMap(([name, { address: own, aliases = [] }]) =>
        [own, ...aliases].map((one) => [one, name] as const),
      ),
    );
    byAddress.set(inventory, table);
  }
  return table.get(address);
}

/** Puts in the target, and keeps an entry within its bound. */
export function admit(event: Event, inventory: Inventory): Event {
  const target = event.target ?? targetOf(inventory, event.origin.peer) ?? named(event, inventory);
  const owned = target === undefined || event.target !== undefined ? event : { ...event, target };
  // Only a notification of thousands of varbinds comes near the bound: its list goes, its datagram stays as evidence.
  if (!owned.snmp || owned.origin.raw.length * 4 < journalEntryBytesMax || JSON.stringify(owned).length < journalEntryBytesMax)
    return owned;
  return { ...owned, snmp: { ...owned.snmp, varbinds: [] } };
}

/** A relay's message: whom it names, if that is somebody we know and the relay is nobody. */
function named(event: Event, inventory: Inventory): string | undefined {
  const host = event.syslog?.host;
  if (!host) return undefined;
  return Object.hasOwn(inventory.targets, host) ? host : targetOf(inventory, host);
}
