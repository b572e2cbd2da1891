// What policies would have done over a recorded past: recorded by the engine itself, tested with the same and other versions.
import { describe, expect, test } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { fhrp, syslog } from '../../src/core/selectors.ts';
import type { Entry } from '../../src/model/entry.ts';
import { type BacktestOptions, backtest } from '../../src/runtime/backtest.ts';
import { mark } from '../core/marbles.ts';
import { gap, hsrpEvent, line, Rig, row, start, textEvent } from '../core/rig.ts';

const settled = (quiet: '2s' | '9s'): Policy =>
  policy({ name: 'settled', on: syslog(), settle: { quiet }, ensure: ({ text }) => mark({ text }) });
const advertises = (prefix = '23.0.0.0/8'): Policy =>
  policy({
    name: 'advertises',
    on: fhrp.changed({ gateway: 'lan23' }),
    ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, prefix)),
  });

const journalOf = (entries: readonly Entry[]) => ({
  async *read() {
    yield entries;
  },
});
const tested = (entries: readonly Entry[], policies: readonly Policy[], options: Partial<BacktestOptions> = {}) =>
  backtest(journalOf(entries), { policies: policies.map((each) => ({ policy: each, version: 'new' })), ...options });
const told = async (...all: Parameters<typeof tested>) =>
  (await tested(...all)).changes.map(({ change, want, policy: name }) => `${change} ${line({ want } as never)} ${name}`);

/** A failover, answered as the executor would: every reading, every outcome. */
function failover(rig: Rig): void {
  rig.event(hsrpEvent('r2', 'active'));
  for (let from = 0; from < rig.intents.length; ) {
    const intent = rig.intents[from++]!;
    if (intent.want.kind === 'read') {
      const active = intent.want.target === 'r2';
      rig.reading(intent, { kind: 'rows', rows: [row(active ? 'active' : 'other')] });
    } else if (intent.want.kind === 'ensure') rig.outcome(intent, 'done');
  }
}

describe('a backtest', () => {
  test('of the same policies finds no difference, whatever their version', async () => {
    const rig = new Rig([settled('2s'), advertises()]);
    rig.event(textEvent('a'));
    rig.pass(5_000);
    failover(rig);
    rig.event(gap());
    const report = await tested(rig.entries, [settled('2s'), advertises()]);
    expect(report).toMatchObject({ changes: [], unknown: 0, assumed: 0, faults: [], entries: rig.entries.length });
    expect(report.same).toBe(rig.intents.length);
  });

  test('gives a version nothing of what it did not come back from, and another version everything', async () => {
    const given: string[] = [];
    const hears = policy({
      name: 'hears',
      on: syslog(),
      ensure: ({ text }) => {
        given.push(text);
        return mark({ text });
      },
    });
    const rig = new Rig([hears]);
    for (const text of ['before', 'poison', 'after']) rig.event(textEvent(text));
    const [seq, at] = [rig.entries.at(-1)!.seq, rig.entries.at(-1)!.at];
    const poison = rig.entries.find((entry) => entry.kind === 'event' && entry.event.syslog?.text === 'poison')!.seq;
    const ended = (version: string): readonly Entry[] => [
      { kind: 'deploy', policy: 'hears', version, runtime: '0.1.0', seq: 0, at: rig.entries[0]!.at },
      ...rig.entries.filter(({ kind }) => kind !== 'deploy'),
      { kind: 'quarantine', policy: 'hears', cause: poison, reason: 'it did not come back', ended: 'hung', seq: seq + 1, at },
      { kind: 'deploy', policy: 'hears', version, runtime: '0.1.0', seq: seq + 2, at },
      { kind: 'event', event: textEvent('again'), seq: seq + 3, at },
    ];
    given.length = 0;
    expect((await tested(ended('new'), [hears])).faults).toEqual([]);
    expect(given.splice(0)).toEqual(['before', 'again']);
    await tested(ended('old'), [hears]);
    expect(given).toEqual(['before', 'poison', 'after', 'again']);
  });

  test('tells what would be wanted, and what would not be any more, with the entry that causes it', async () => {
    const rig = new Rig([settled('2s')]);
    rig.event(textEvent('a'));
    rig.pass(3_000);
    rig.event(textEvent('b'));
    rig.pass(20_000);
    expect(await told(rig.entries, [settled('2s')])).toEqual([]);
    // With 9 s of quiet `a` never settles: `b` comes too soon. The ticks of the past are what time there is.
    expect((await tested(rig.entries, [settled('9s')])).changes.map(({ change, at }) => [change, at - start])).toContainEqual([
      '-',
      2_000,
    ]);
  });

  test('answers a read that was never asked from the last recorded reading, and else counts it unknown', async () => {
    const rig = new Rig([settled('2s')]);
    rig.event(hsrpEvent('r2', 'active'));
    const alone = await tested(rig.entries, [advertises()]);
    expect(alone.unknown).toBe(3);
    rig.reading('settled@v1/1/7', { kind: 'rows', rows: [row('active')] }, 'r2');
    for (const other of ['r1', 'r3']) rig.reading(`settled@v1/1/${other}`, { kind: 'rows', rows: [row('other')] }, other);
    rig.event(hsrpEvent('r1', 'init'));
    const later = await tested(rig.entries, [advertises()], { from: rig.now });
    expect(later.changes.map(({ want }) => line({ want } as never))).toEqual(expect.arrayContaining(['present r2', 'absent r1']));
    expect(later.assumed).toBeGreaterThan(0);
  });

  test('of another resource tells both, and leaves out what became of the one not wanted', async () => {
    const rig = new Rig([advertises()]);
    failover(rig);
    const changes = await told(rig.entries, [advertises('24.0.0.0/8')]);
    expect(changes).toContain('- present r2 advertises');
    expect(changes).toContain('+ present r2 advertises');
    expect(changes).toContain('+ absent r1 advertises');
  });

  test('says where a policy throws, and goes on with the others', async () => {
    const rig = new Rig([settled('2s')]);
    rig.event(textEvent('a'));
    rig.pass(3_000);
    const bad = policy({
      name: 'bad',
      on: syslog(),
      ensure: () => {
        throw new Error('no');
      },
    });
    const report = await tested(rig.entries, [bad, settled('2s')]);
    expect(report.faults).toMatchObject([{ policy: 'bad', reason: 'no' }]);
    expect(report.same).toBe(1);
  });
});
