// Which VM is meant, and where it runs: names that were used before, copies that are switched off.
import { describe, expect, test } from 'vitest';
import { Facts } from '../../src/core/facts.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { readRequest, understand } from '../../src/model/request.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { askMigration, cancelMigration } from '../../src/runtime/migrate.ts';
import { Requests } from '../../src/runtime/requests.ts';
import { eventOf, start } from '../core/rig.ts';
import { entriesOf, web1 } from '../core/vm-words.ts';

const libvirt = { transport: 'unix', uri: 'qemu:///system' };
const targets = Object.fromEntries(
  ['kvm1', 'kvm2', 'kvm3'].map((name) => [name, { platform: 'libvirt', address: '127.0.0.1', libvirt }]),
);
const inventory = inventorySchema.parse({ targets });
/** Another VM of the same name. */
const again = { ...web1, uuid: '11111111-2222-3333-4444-5555555555aa' };

function world(...lines: readonly string[]) {
  const facts = new Facts();
  const requests = new Requests();
  requests.lookIn(() => facts);
  const emitted: Meaning[] = [];
  let seq = 0;
  const take = (body: object): void => {
    seq += 1;
    const entry = { ...body, seq, at: start + seq } as never;
    facts.fold(entry);
    requests.take(entry);
  };
  const hear = (line: string, vm = web1): void => {
    const [host = '', ...said] = line.split(' ');
    for (const body of entriesOf(host, said.join(' '), vm)) take(body);
  };
  const emit = async ({ meaning }: { readonly meaning: Meaning }): Promise<number> => emitted.push(meaning);
  const host = { stats: () => ({ lastSeq: seq }), emit };
  const engine = { facts, listeners: () => ['p'] };
  const view = { requests: () => requests.all(), policies: () => [{ name: 'p', state: 'running' }] };
  const runtime = { engine, view, host } as never;
  const book = { vmsOf: (name: string) => requests.vmsOf(name), isTarget: () => true, requested: () => undefined };
  const requested = (to: string) => {
    const read = readRequest(JSON.stringify({ kind: 'migration-requested', request: 'r-1', vm: 'web1', to }));
    return read.kind === 'request' ? understand(read.request, book as never) : read;
  };
  take({ kind: 'inventory', inventory });
  for (const line of lines) hear(line);
  return { hear, take, runtime, emitted, requested };
}

const evacuated = ['kvm1 lists running/booted', 'kvm2 started migrated', 'kvm2 resumed migrated', 'kvm1 stopped migrated'];
/** kvm1 was rebooted: its libvirtd has forgotten why the copy is off. */
const leftBehind = [...evacuated, 'kvm1 lists shutoff/unknown'];

describe('a VM with a switched-off copy elsewhere', () => {
  test('is where it runs', async () => {
    const { runtime, requested } = world(...leftBehind);
    expect(await askMigration(runtime, { vm: 'web1', to: 'kvm3' })).toMatchObject({ from: 'kvm2' });
    expect(requested('kvm1')).toMatchObject({ kind: 'understood', meaning: { from: 'kvm2', to: 'kvm1' } });
  });

  test('so is one that was destroyed and made on another host', () => {
    const { requested } = world(
      'kvm1 lists running/booted',
      'kvm2 lists nothing',
      'kvm1 stopped destroyed',
      'kvm2 started booted',
    );
    expect(requested('kvm1')).toMatchObject({ kind: 'understood', meaning: { from: 'kvm2', to: 'kvm1' } });
  });
});

test('a VM that was made anew under its name is the one that is meant', async () => {
  const { hear, runtime, requested } = world('kvm1 lists running/booted', 'kvm1 stopped destroyed', 'kvm1 undefined removed');
  hear('kvm1 defined added', again);
  hear('kvm1 started booted', again);
  expect(await askMigration(runtime, { vm: 'web1', to: 'kvm2' })).toMatchObject({ uuid: again.uuid, from: 'kvm1' });
  expect(requested('kvm2')).toMatchObject({ kind: 'understood', meaning: { uuid: again.uuid } });
});

test('what is cancelled is the migration of the VM that was asked for, not of another one of its name', async () => {
  const { hear, take, runtime, emitted } = world('kvm1 lists running/booted');
  hear('kvm3 lists running/booted', again);
  const asked = { kind: 'vm.migration-requested', vm: 'web1', uuid: again.uuid, from: 'kvm3', to: 'kvm2' } as const;
  take({ kind: 'event', event: eventOf('kvm3', { ...asked, request: 'r-1', perform: true }) });
  await cancelMigration(runtime, 'r-1');
  expect(emitted).toMatchObject([{ uuid: again.uuid, request: 'r-1' }]);
});

describe('a host that is not there', () => {
  test('is told with those there are, and where the VM is', async () => {
    const { runtime } = world('kvm1 lists running/booted');
    await expect(askMigration(runtime, { vm: 'web1', to: 'kvm9' })).rejects.toThrow(
      'there is no hypervisor "kvm9". There is: kvm1 (web1 is there), kvm2, kvm3.',
    );
  });

  test('where the VM is already, the others are told', async () => {
    const { runtime } = world('kvm1 lists running/booted');
    await expect(askMigration(runtime, { vm: 'web1', to: 'kvm1' })).rejects.toThrow(
      'web1 is on kvm1 already. Besides there is: kvm2, kvm3.',
    );
  });
});
