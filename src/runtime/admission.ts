// Owns: admission: whose event it is. The sender's address decides; the host a relayed message names is only a claim.
import type { Event } from '../model/event.ts';
import { journalEntryBytesMax } from '../model/limits.ts';
import type { Inventory, PlatformName } from '../model/target.ts';
import { WrittenEvent } from '../model/written-event.ts';

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

/** By address, the platform of the target it belongs to. */
export function platformsOf(inventory: Inventory): ReadonlyMap<string, PlatformName> {
  const pairs = Object.values(inventory.targets).map(({ address, aliases = [], platform }) =>
    [address, ...aliases].map((one) => [one, platform] as const),
  );
  return new Map(pairs.flat());
}

/** Puts in the target, and keeps an entry within its bound. */
export function admit(event: Event, inventory: Inventory): Event {
  if (event instanceof WrittenEvent) {
    const { peer, host } = event.brief;
    const whose = event.target ?? targetOf(inventory, peer) ?? named(host, inventory);
    return whose === undefined ? event : event.belongsTo(whose);
  }
  const target = event.target ?? targetOf(inventory, event.origin.peer) ?? named(event.syslog?.host, inventory);
  const owned = target === undefined || event.target !== undefined ? event : { ...event, target };
  // Only a notification of thousands of varbinds comes near the bound: its list goes, its datagram stays as evidence. An octet of it
  // is 2 of its hex and some 10 of a varbind, never 32: a small one need not be measured.
  if (!owned.snmp || owned.origin.raw.length * 16 < journalEntryBytesMax || fitsEntry(owned)) return owned;
  const short = { ...owned, snmp: { ...owned.snmp, varbinds: [] } };
  return fitsEntry(short) ? short : { ...short, meaning: null };
}

/** `{"kind":"event","event":` and `,"at":1700000000000}`, with room to spare. */
const envelopeBytes = 128;

/** Whether the journal takes it: bytes, of which a letter may have three. */
export function fitsEntry(event: Event): boolean {
  return Buffer.byteLength(JSON.stringify(event)) + envelopeBytes <= journalEntryBytesMax;
}

/** A relay's message: whom it names, if that is somebody we know and the relay is nobody. */
function named(host: string | null | undefined, inventory: Inventory): string | undefined {
  if (!host) return undefined;
  return Object.hasOwn(inventory.targets, host) ? host : targetOf(inventory, host);
}
