// The libvirt source watching the lab's hypervisors as the inventory names them: what it makes of their migrations.
import { expect, onTestFinished, test } from 'vitest';
import { libvirtSource } from '../../adapters/source-libvirt/index.ts';
import { hypervisorTargets } from '../../lab/hypervisor-targets.ts';
import { hypervisorNames, labAddresses } from '../../lab/model/addresses.ts';
import { createHypervisors } from '../../lab/model/hypervisor.ts';
import { createLibvirtServer } from '../../lab/servers/libvirt-server.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { hearing } from '../source-libvirt/kit.ts';

/** A net that no other test has. */
async function watched(net: number) {
  const addresses = labAddresses(net);
  const timers = { prepareMs: 10, copyMs: 100, stopMs: 10, restartMs: 20 };
  const hypervisors = createHypervisors({ wall: realWall, names: hypervisorNames, addresses, timers, frame: () => {} });
  for (const name of hypervisorNames) {
    const server = createLibvirtServer({ host: hypervisors.hosts[name], hypervisors, wall: realWall, address: addresses[name] });
    await server.open();
    onTestFinished(() => server.stop());
  }
  const inventory = inventorySchema.parse({ targets: hypervisorTargets(addresses) });
  const source = libvirtSource({ inventory, wall: realWall, secrets: async () => '', random: () => 0 });
  const heard = hearing();
  await source.start(heard);
  onTestFinished(async () => {
    await source.stop();
    hypervisors.stop();
  });
  const meanings = (target: string) =>
    heard.events.flatMap((event) => (event.target === target && event.meaning ? [event.meaning] : []));
  const listed = (target: string) => meanings(target).filter(({ kind }) => kind === 'vm.listed').length;
  await heard.until(() => hypervisorNames.every((name) => listed(name) > 0));
  return { hypervisors, heard, meanings, listed };
}

test('a migration is heard on both hypervisors, with the addresses of its guest where it arrives', async () => {
  const { hypervisors, heard, meanings } = await watched(171);
  expect(
    meanings('kvm1').flatMap((each) => (each.kind === 'vm.observed' ? [`${each.vm} ${each.state} ${each.reason}`] : [])),
  ).toEqual(['web1 running booted', 'db1 running booted']);
  await hypervisors.migrate('web1', 'kvm2');
  await heard.until(() => meanings('kvm1').some(({ kind }) => kind === 'vm.job-completed'));
  const lifecycle = (target: string) =>
    meanings(target).flatMap((each) => (each.kind === 'vm.lifecycle' ? [`${each.event} ${each.detail}`] : []));
  expect(lifecycle('kvm2')).toEqual(['started migrated', 'defined added', 'resumed migrated']);
  expect(lifecycle('kvm1')).toEqual(['suspended migrated', 'stopped migrated']);
  const started = meanings('kvm2').find((each) => each.kind === 'vm.lifecycle' && each.detail === 'migrated');
  expect(started).toMatchObject({ vm: 'web1', nics: [{ mac: '52:54:00:aa:bb:01', source: 'br0' }] });
  expect(meanings('kvm1').find(({ kind }) => kind === 'vm.job-completed')).toMatchObject({ operation: 'migration-out' });
});

test('a mark in the metadata is read as the request that it is', async () => {
  const { hypervisors, heard, meanings } = await watched(172);
  const { uuid } = hypervisors.hosts.kvm1.domains()[0]!.vm;
  hypervisors.hosts.kvm1.setMetadata(uuid, 'element', `<migration to='kvm2'/>`, { key: 'offbox', uri: 'urn:offbox:migration' });
  await heard.until(() => meanings('kvm1').some((each) => each.kind === 'vm.metadata-changed' && each.request !== undefined));
  expect(meanings('kvm1').at(-1)).toMatchObject({ vm: 'web1', request: { to: 'kvm2' } });
});

test('a libvirtd that restarts is a gap, and is listed anew when it is back', async () => {
  const { hypervisors, heard, listed } = await watched(173);
  const before = listed('kvm1');
  await hypervisors.restartLibvirtd('kvm1');
  await heard.until(() => listed('kvm1') > before);
  expect(heard.gaps.join('\n')).toContain('kvm1: ');
});
