// Owns: the checker: an outcome `done` or `already` is true: between its intent and itself the device really had it so. Where
// the device lied about it meanwhile, nobody can know.
import type { Intent } from '../../../src/model/intent.ts';
import { placeKey } from '../../../src/resources/place.ts';
import type { Device } from '../device.ts';
import { isAsDesired } from '../platform.ts';
import type { Finished } from '../simulate.ts';

export function outcomesAreTrue({ entries, disk, devices }: Finished): readonly string[] {
  const intents = new Map<string, { readonly intent: Intent; readonly time: number }>();
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.kind === 'intent') intents.set(entry.intent.id, { intent: entry.intent, time: disk.takenAt.get(entry.seq)! });
    if (entry.kind !== 'outcome' || !['done', 'already'].includes(entry.outcome.kind)) continue;
    const known = intents.get(entry.intent);
    if (known?.intent.want.kind !== 'ensure' || known.intent.want.withdraw) continue;
    const { resource, desired } = known.intent.want;
    // That no migration is on, where one was called off, says nothing of where the guest is.
    if (resource.kind === 'vm-placement' && desired === 'absent') continue;
    const device = devices.get(resource.target)!;
    const place = placeKey(resource);
    const until = disk.takenAt.get(entry.seq)!;
    const lied = device.lies.some((lie) => lie.place === place && lie.time >= known.time && lie.time <= until);
    const was = valuesBetween(device, place, known.time, until).some((value) => isAsDesired(value, resource, desired));
    if (!was && !lied) found.push(`${entry.intent} ended ${entry.outcome.kind}, and ${place} never was so`);
  }
  return found;
}

/** Every value that stood there in that time. */
function valuesBetween(device: Device, place: string, from: number, until: number): readonly (string | null)[] {
  const history = [{ time: Number.NEGATIVE_INFINITY, value: null }, ...(device.history.get(place) ?? [])];
  return history
    .filter(({ time }, index) => time <= until && (history[index + 1]?.time ?? Number.POSITIVE_INFINITY) >= from)
    .map(({ value }) => value);
}
