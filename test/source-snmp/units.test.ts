// The small parts, without a network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { boundedMap } from '../../adapters/snmp/bounded-map.ts';
import { plainAddress } from '../../adapters/source-snmp/address.ts';
import { gapTeller } from '../../adapters/source-snmp/gaps.ts';
import { informTable } from '../../adapters/source-snmp/informs.ts';
import { kernelDrops, localColumn } from '../../adapters/source-snmp/kernel-drops.ts';
import { orderPerPeer } from '../../adapters/source-snmp/order.ts';
import { senderTable } from '../../adapters/source-snmp/senders.ts';
import { strangerAllowance } from '../../adapters/source-snmp/strangers.ts';
import { collector, handWall } from './kit.ts';

test('a bounded map forgets what was longest untouched', () => {
  const forgotten: string[] = [];
  const map = boundedMap<string, number>(2, (_, key) => forgotten.push(key));
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
  expect(forgotten).toEqual(['b']);
});

test('an address has one spelling', () => {
  expect(['::ffff:10.0.0.1', '2001:DB8:0:0:0:0:0:1', 'fe80::1%eth0', '10.0.0.1'].map(plainAddress)).toEqual([
    '10.0.0.1',
    '2001:db8::1',
    'fe80::1%eth0',
    '10.0.0.1',
  ]);
});

describe('gaps', () => {
  test('are told at once, and those that follow within the interval as one at its end', () => {
    const wall = handWall();
    const { sink, gaps } = collector();
    const teller = gapTeller(sink, wall);
    teller.tell('first', 'edge1');
    teller.tell('other', 'edge2');
    for (let n = 0; n < 100; n++) teller.tell(`again ${n}`, 'edge1');
    expect(gaps.map(({ reason }) => reason)).toEqual(['first', 'other']);
    wall.advance(5_000);
    expect(gaps.at(-1)).toEqual({ reason: 'again 99', targets: ['edge1'] });
    wall.advance(5_000);
    teller.tell('later', 'edge1');
    expect(gaps).toHaveLength(4);
  });

  test('of nobody in particular concern all, and what is held back is told at the end', () => {
    const { sink, gaps } = collector();
    const teller = gapTeller(sink, handWall());
    teller.tell('drops');
    teller.tell('more drops');
    teller.close();
    expect(gaps).toEqual([
      { reason: 'drops', targets: undefined },
      { reason: 'more drops', targets: undefined },
    ]);
  });
});

describe('informs', () => {
  test('under way are found even where the table forgot them', () => {
    const table = informTable(handWall(), 1);
    const answered: string[] = [];
    const first = table.begin('a', false, () => answered.push('a'));
    table.begin('b', false, () => answered.push('b'));
    if (first.kind === 'offer') first.settle();
    expect(answered).toEqual(['a']);
  });

  test('answered long ago are new again, but not where they were seen byte for byte', () => {
    const wall = handWall();
    const table = informTable(wall);
    const begun = table.begin('a', false, () => {});
    if (begun.kind === 'offer') begun.settle();
    wall.advance(151_000);
    expect(table.begin('a', true, () => {}).kind).toBe('replayed');
    expect(table.begin('a', false, () => {}).kind).toBe('offer');
  });
});

describe('order of arrival', () => {
  test('is kept per peer and not among peers', async () => {
    const passed: string[] = [];
    const order = orderPerPeer<string>((item) => passed.push(item));
    const { promise, resolve } = Promise.withResolvers<string>();
    order.passLater('a', promise, 'a1 anyway');
    order.pass('a', 'a2');
    order.pass('b', 'b1');
    expect(passed).toEqual(['b1']);
    resolve('a1');
    await promise;
    await Promise.resolve();
    order.pass('a', 'a3');
    expect(passed).toEqual(['b1', 'a1', 'a2', 'a3']);
  });

  test('refuses what it has no room to hold back', () => {
    const order = orderPerPeer<string>(() => {}, 2);
    const never = new Promise<string>(() => {});
    expect(order.passLater('a', never, '1')).toBe(true);
    expect(order.pass('a', '2')).toBe(true);
    expect(order.pass('a', '3')).toBe(false);
    expect(order.passLater('b', never, '4')).toBe(false);
    expect(order.pass('b', '5')).toBe(true);
    order.flush();
    expect(order.passLater('a', never, '6')).toBe(true);
  });
});

describe('a sender', () => {
  const at = (uptime: number | undefined, oid = '1.3.6.1.6.3.1.1.5.5') => ({
    version: 'v2c' as const,
    pdu: 'trap' as const,
    oid,
    ...(uptime !== undefined && { uptime }),
    varbinds: [],
  });

  test('whose sysUpTime wraps after 497 days did not start anew', () => {
    const senders = senderTable();
    senders.heard('a', at(2 ** 32 - 1_000), 0);
    expect(senders.heard('a', at(500), 15_000)).toBeUndefined();
    expect(senders.heard('a', at(90_000), 900_000)).toBeUndefined();
    expect(senders.heard('a', at(500), 901_000)).toMatch(/sysUpTime fell/);
  });

  test('is not another one, and one without sysUpTime tells nothing', () => {
    const senders = senderTable();
    senders.heard('a', at(90_000), 0);
    expect(senders.heard('b', at(5), 0)).toBeUndefined();
    expect(senders.heard('a', at(undefined), 0)).toBeUndefined();
    expect(senders.heard('a', at(5), 0)).toMatch(/sysUpTime fell from 90000 to 5/);
  });

  test('creeping backwards in small steps is found out', () => {
    const senders = senderTable();
    senders.heard('a', at(90_000), 0);
    expect(senders.heard('a', at(89_500), 0)).toBeUndefined();
    expect(senders.heard('a', at(88_900), 0)).toMatch(/sysUpTime fell/);
  });
});

test('strangers have an allowance for each address, which comes back with time', () => {
  const wall = handWall();
  const may = strangerAllowance(wall, 2);
  expect([may('a'), may('a'), may('a'), may('b')]).toEqual([true, true, false, true]);
  wall.advance(500);
  expect([may('a'), may('a')]).toEqual([true, false]);
});

describe('what the kernel dropped', () => {
  const header =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';

  test('is the last column of our own socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offbox-proc-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const line = (local: string, drops: number) =>
      `  128: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 76215 2 0000000000000000 ${drops}   \n`;
    await writeFile(
      join(folder, 'udp'),
      header + line('0100007F:00A2', 17) + line('00000000:00A2', 5) + line('0100007F:00A3', 9),
    );
    await writeFile(join(folder, 'udp6'), header + line('00000000000000000000000001000000:00A2', 23));
    expect(await kernelDrops('127.0.0.1', 162, folder)).toBe(17);
    expect(await kernelDrops('0.0.0.0', 162, folder)).toBe(5);
    expect(await kernelDrops('::1', 162, folder)).toBe(23);
  });

  test('is unknown where the system does not say', async () => {
    expect(await kernelDrops('127.0.0.1', 162, '/nowhere')).toBeUndefined();
  });

  test('is looked up under the address as the kernel writes it', () => {
    expect(localColumn('10.99.0.1', 5_514)).toBe('0100630A:158A');
    expect(localColumn('2001:db8::1', 162)).toBe('B80D0120000000000000000001000000:00A2');
  });
});
