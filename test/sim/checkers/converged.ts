// Owns: the checker: some minutes after the faults stopped the network is as the policies say, and nothing is open.
import { guests, hosts, pair, places, switches, switchOf } from '../network.ts';
import type { Finished } from '../simulate.ts';

export function converged({ devices, migrations, nodes }: Finished): readonly string[] {
  const { holder } = nodes;
  if (!holder) return ['Offbox does not run'];
  const found: string[] = [];
  const expect = (what: string, is: string | null, oneOf: readonly (string | null)[]): void => {
    if (!oneOf.includes(is)) found.push(`${what} is ${is}, expected ${oneOf.join(' or ')}`);
  };
  for (const name of pair) {
    const device = devices.get(name)!;
    expect(`${name}, ${device.role}, network`, device.value(places.network(name)), [device.role === 'active' ? 'yes' : null]);
  }
  for (const name of switches) {
    const device = devices.get(name)!;
    expect(`${name} violation mode`, device.value(places.mode(name)), ['restrict']);
    const shaping = places.shaping(name);
    const byPeople = device.log.filter(({ by, place }) => by === 'person' && place === shaping).map(({ after }) => after);
    const original = device.history.get(shaping)?.[0]?.time === 0 ? device.history.get(shaping)![0]!.value : null;
    expect(`${name} shaping`, device.value(shaping), [original, ...byPeople]);
  }
  for (const name of switches) {
    expect(`${name} violation mode of its host`, devices.get(name)!.value(places.violation(name)), ['shutdown']);
    expect(`${name} link`, devices.get(name)!.value(places.link(name)), [null]);
  }
  for (const { vm, mac } of migrations ? guests : []) {
    const host = migrations!.whereIs(vm);
    if (host === undefined) found.push(`${vm} is not at rest`);
    for (const each of hosts) {
      const name = switchOf[each];
      expect(`${mac} sticky on ${name}`, devices.get(name)!.value(places.sticky(name, mac)), [each === host ? 'yes' : null]);
    }
  }
  for (const { state, target } of holder.runtime.executor.status()) expect(`the line to ${target}`, state, ['up']);
  for (const { name, state } of holder.runtime.engine.policies()) expect(name, state, ['running']);
  for (const { intent } of holder.runtime.engine.ledger.open())
    found.push(`${intent.id} is open: ${JSON.stringify(intent.want)}`);
  return found;
}
