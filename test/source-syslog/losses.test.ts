// What tells that something was missed: the senders' own counts, the kernel's, and how often a gap is told.
import { describe, expect, test } from 'vitest';
import { Gaps } from '../../adapters/source-syslog/gaps.ts';
import { kernelDrops, procFileOf } from '../../adapters/source-syslog/kernel-drops.ts';
import { Sequences } from '../../adapters/source-syslog/sequence.ts';
import { gapIntervalMs, syslogSendersMax } from '../../src/model/limits.ts';

describe('a sender that counts its messages', () => {
  const missed = (...counts: readonly number[]) => {
    const sequences = new Sequences();
    return counts.map((count) => sequences.missed('r1', count)).filter((each) => each !== null);
  };

  test.each([
    ['has missed nothing when it counts on', [5, 6, 7], []],
    ['has missed one', [5, 7], ['message 6 did not come']],
    ['has missed many', [5, 5_000], ['messages 6 to 4999 did not come (4994)']],
    ['is heard twice', [5, 5, 6, 6], []],
    ['is heard late', [5, 7, 6, 8], ['message 6 did not come']],
    ['restarted', [5_000, 1, 2], ['it counts from 1 again after 5000: it restarted']],
    ['restarted soon', [1, 2, 3, 4, 1], ['it counts from 1 again after 4: it restarted']],
    ['restarted within what may come late', [90, 91, 75], []],
    ['restarted behind what may come late', [90, 91, 50], ['it counts from 50 again after 91: it restarted']],
  ])('%s', (_, counts, expected) => {
    expect(missed(...counts)).toEqual(expected);
  });

  test('is one of many: senders are counted apart, and the oldest is forgotten beyond the bound', () => {
    const sequences = new Sequences();
    sequences.missed('first', 1);
    for (let sender = 0; sender < syslogSendersMax; sender += 1) sequences.missed(`s${sender}`, 1);
    expect(sequences.missed('first', 9)).toBeNull();
    expect(sequences.missed(`s${syslogSendersMax - 1}`, 3)).toBe('message 2 did not come');
  });
});

describe('the kernel says', () => {
  const head =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';
  const line = (local: string, drops: string) =>
    `  123: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 000000005f9c5d1b ${drops}`;
  const text = [head, line('0100007F:158A', '17'), line('00000000:158A', '3'), line('0100007F:0035', 'x'), ''].join('\n');

  test.each([
    ['a socket of one address', '127.0.0.1', 5514, 17],
    ['a socket of all addresses', '0.0.0.0', 5514, 3],
    ['a socket that is not listed', '127.0.0.1', 5515, undefined],
    ['nonsense', '127.0.0.1', 53, undefined],
  ])('what it dropped at %s', (_, address, port, drops) => {
    expect(kernelDrops(text, { address, port })).toBe(drops);
  });

  test.each([
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000001000000'],
    ['2001:db8::1', 'B80D0120000000000000000001000000'],
    ['2001:db8:1:2:3:4:5:6', 'B80D0120020001000400030006000500'],
    ['::ffff:127.0.0.1', '0000000000000000FFFF00000100007F'],
    ['fe80::1%eth0', '000080FE000000000000000001000000'],
  ])('what it dropped at %s', (address, words) => {
    const socket = { address, port: 514 };
    expect(procFileOf(socket)).toBe('/proc/net/udp6');
    expect(kernelDrops(line(`${words}:0202`, '5'), socket)).toBe(5);
  });

  test('nothing where the file is cut off or empty', () => {
    for (let end = 0; end < 60; end += 1)
      expect(kernelDrops(text.slice(0, end), { address: '127.0.0.1', port: 5514 })).toBeUndefined();
  });
});

describe('a gap', () => {
  function gapsAt() {
    const time = { now: 0 };
    const told: (readonly [string, readonly string[] | undefined])[] = [];
    const gaps = new Gaps({ gap: (reason, targets) => told.push([reason, targets]) }, { monotonic: () => time.now });
    return { time, told, gaps };
  }

  test('is told at once, with its target where the sender is one', () => {
    const { gaps, told } = gapsAt();
    gaps.tell('a', 'edge1');
    gaps.tell('b');
    expect(told).toEqual([
      ['a', ['edge1']],
      ['b', undefined],
    ]);
  });

  test('is told no more often than the interval, and none is forgotten', () => {
    const { gaps, told, time } = gapsAt();
    for (const reason of ['a', 'b', 'c', 'd']) gaps.tell(reason, 'edge1');
    gaps.flush();
    expect(told).toEqual([['a', ['edge1']]]);
    time.now += gapIntervalMs;
    gaps.flush();
    expect(told[1]).toEqual(['d; and 2 gaps before it', ['edge1']]);
    time.now += gapIntervalMs;
    gaps.flush();
    expect(told.length).toBe(2);
  });
});
