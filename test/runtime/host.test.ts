import { describe, expect, it } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import { Engine } from '../../src/core/engine.ts';
import { config, policy } from '../../src/index.ts';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { Host } from '../../src/runtime/host.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { eventOf, inventory } from './rig.ts';

const noticing = policy({
  name: 'noticing',
  on: config.changed(),
  settle: { quiet: '2s' },
  ensure: ({ target }) => ({
    desire: 'resource',
    resource: { kind: 'thing', target },
    desired: 'present',
    absent: () => never(),
  }),
});
const never = (): never => {
  throw new Error('not asked for');
};

interface HostRig {
  readonly host: Host;
  readonly wall: VirtualWall;
  readonly appended: NewEntry[][];
  readonly executed: Intent[];
  readonly entries: Entry[];
  readonly failures: Error[];
}

async function hostOn(journal: Partial<Journal> = {}): Promise<HostRig> {
  const wall = new VirtualWall(1_000_000);
  const memory = memoryJournal();
  const appended: NewEntry[][] = [];
  const executed: Intent[] = [];
  const entries: Entry[] = [];
  const failures: Error[] = [];
  const append: Journal['append'] = async (batch, expect) => {
    const answer = await (journal.append ?? memory.append)(batch, expect);
    appended.push([...batch]);
    return answer;
  };
  const engine = new Engine([{ policy: noticing, version: 'v1' }]);
  const host = new Host({
    journal: { ...memory, ...journal, append },
    epoch: 1,
    engine: () => engine,
    wall,
    execute: (intent) => void executed.push(intent),
    onEntry: (entry) => void entries.push(entry),
    onFailure: (fault) => void failures.push(fault),
  });
  const begun = host.begin({ lastSeq: 0, lastAt: 0, nextDue: undefined }, [
    { kind: 'inventory', inventory },
    { kind: 'deploy', policy: 'noticing', version: 'v1', runtime: 'test' },
  ]);
  await wall.advance(0);
  await begun;
  return { host, wall, appended, executed, entries, failures };
}

const changed = () => eventOf('gw-a', { kind: 'config.changed' });
const unheard = () => eventOf('gw-a', { kind: 'interface.state-changed', interface: 'Gi1', to: 'down', layer: 'link' });

describe('the host', () => {
  it('appends what arrives in the same turn together, and answers each after the commit', async () => {
    const { host, wall, appended } = await hostOn();
    const answered: string[] = [];
    const sink = host.sink('test');
    sink.offer([changed()], () => answered.push(`first, ${appended.length} appends`));
    sink.offer([changed(), changed()], () => answered.push(`second, ${appended.length} appends`));
    expect(answered).toEqual([]);
    await wall.advance(0);
    expect(answered).toEqual(['first, 2 appends', 'second, 2 appends']);
    expect(appended[1]!.filter(({ kind }) => kind === 'event')).toHaveLength(3);
  });

  it('appends what comes on the heels of a commit, however soon, and one append at a time', async () => {
    for (let turns = 0; turns < 64; turns += 1) {
      const { host, wall, entries, failures } = await hostOn();
      const sink = host.sink('test');
      const offerAfter = async (count: number): Promise<void> => {
        for (let turn = 0; turn < count; turn += 1) await undefined;
        sink.offer([changed()]);
      };
      sink.offer([changed()], () => void offerAfter(turns % 8).then(() => offerAfter(Math.floor(turns / 8))));
      await wall.advance(0);
      const events = entries.filter(({ kind }) => kind === 'event').length;
      expect({ turns, events, failures }).toEqual({ turns, events: 3, failures: [] });
    }
  });

  describe('in a flood', () => {
    const flooded = async () => {
      const rig = await hostOn();
      const sink = rig.host.sink('test');
      const answered: number[] = [];
      const offer = (events: number): void =>
        void sink.offer(Array.from({ length: events }, changed), () => answered.push(rig.wall.monotonic()));
      offer(16);
      await rig.wall.advance(0);
      const [at] = answered;
      return {
        ...rig,
        offer,
        sizes: () => rig.appended.slice(2).map((batch) => batch.filter(({ kind }) => kind === 'event').length),
        at: at!,
        answered,
      };
    };

    it('appends what sources offer within 3 ms of the append before together', async () => {
      const { wall, offer, sizes, answered, at } = await flooded();
      offer(2);
      await wall.advance(1);
      offer(3);
      await wall.advance(1);
      expect(sizes()).toEqual([]);
      await wall.advance(1);
      expect([sizes(), answered]).toEqual([[5], [at, at + 3, at + 3]]);
      offer(1);
      await wall.advance(0);
      expect(sizes()).toEqual([5, 1]);
    });

    it('lets nothing else wait, and with it goes what was gathered', async () => {
      const { host, wall, offer, sizes } = await flooded();
      offer(2);
      await wall.advance(1);
      void host.emit(changed());
      await wall.advance(0);
      expect(sizes()).toEqual([3]);
    });

    it('waits for no more than fills an append, nor when it is stopped', async () => {
      const { host, wall, offer, sizes } = await flooded();
      offer(256);
      await wall.advance(0);
      offer(1);
      await wall.advance(0);
      expect(sizes()).toEqual([256]);
      await host.stop();
      // The last has no events: it says what was decided.
      expect(sizes()).toEqual([256, 1, 0]);
    });
  });

  it('executes an intent only after it is durable, in one append with what it was decided through', async () => {
    const { host, wall, appended, executed, entries } = await hostOn();
    host.sink('test').offer([changed()]);
    await wall.advance(2_000);
    const last = appended.at(-1)!;
    expect(last.map(({ kind }) => kind)).toEqual(['decided', 'intent']);
    expect(executed).toHaveLength(1);
    expect(last[0]).toMatchObject({ through: entries.at(-3)!.seq });
  });

  it('records what was decided, and wanted nothing, by itself once nothing more comes, and once', async () => {
    const { host, wall, appended, entries } = await hostOn();
    await wall.advance(10_000);
    const begun = appended.length;
    host.sink('test').offer([unheard()]);
    await wall.advance(900);
    expect(appended).toHaveLength(begun + 1);
    const event = entries.at(-1)!.seq;
    await wall.advance(60_000);
    expect(appended.slice(begun + 1)).toMatchObject([[{ kind: 'decided', through: event }]]);
  });

  it('records it when it stops', async () => {
    const { host, wall, appended, entries } = await hostOn();
    host.sink('test').offer([unheard()]);
    await wall.advance(0);
    const event = entries.at(-1)!.seq;
    await host.stop();
    expect(appended.at(-1)).toMatchObject([{ kind: 'decided', through: event }]);
  });

  it('appends a tick when an alarm is due and nothing else has passed it, and none otherwise', async () => {
    const { host, wall, entries } = await hostOn();
    host.sink('test').offer([changed()]);
    await wall.advance(10_000);
    expect(entries.filter(({ kind }) => kind === 'tick')).toHaveLength(1);
  });

  it('stamps with the wall, and never lets time fall', async () => {
    const { host, wall, entries } = await hostOn();
    await wall.advance(5_000);
    host.sink('test').offer([changed()]);
    await wall.advance(0);
    const late = entries.at(-1)!.at;
    const now = wall.now.bind(wall);
    wall.now = () => now() - 60_000;
    host.sink('test').offer([changed()]);
    await wall.advance(0);
    expect(entries.at(-1)!.at).toBe(late);
  });

  it('tells a gap when the clock jumps ahead by more than 5 s', async () => {
    const { host, wall, entries } = await hostOn();
    const now = wall.now.bind(wall);
    wall.now = () => now() + 60_000;
    host.sink('test').offer([changed()]);
    await wall.advance(0);
    const gaps = entries.flatMap((entry) =>
      entry.kind === 'event' && entry.event.meaning?.kind === 'source.gap' ? [entry.event.meaning.reason] : [],
    );
    expect(gaps).toEqual(['the clock jumped 60000 ms ahead']);
  });

  it('gives each submitted entry its own seq', async () => {
    const { host, wall, entries } = await hostOn();
    const seqs = Promise.all([host.emit(changed()), host.emit(changed())]);
    await wall.advance(0);
    const [first, second] = await seqs;
    expect(second! - first!).toBe(1);
    expect(entries.find(({ seq }) => seq === first)!.kind).toBe('event');
  });

  it('stops, tells everybody who waits, and acts on nothing more, when the journal refuses', async () => {
    const memory = memoryJournal();
    let full = false;
    const refusal = new RuntimeFault('[test] another holds the lease', { code: 'stale-epoch', remedy: 'Stop.' });
    const { host, wall, executed, failures } = await hostOn({
      append: (batch, expect) => (full ? Promise.reject(refusal) : memory.append(batch, expect)),
    });
    host.sink('test').offer([changed()]);
    await wall.advance(1_000);
    full = true;
    const answers: (string | undefined)[] = [];
    host.sink('test').offer([changed()], (error) => answers.push(error?.message));
    await wall.advance(60_000);
    expect(answers).toEqual([refusal.message]);
    expect(failures).toEqual([refusal]);
    expect(executed).toEqual([]);
    expect(host.sink('test').offer([changed()])).toBe(false);
    await expect(host.submit({ kind: 'tick' })).rejects.toThrow('another holds the lease');
  });

  it('goes on where the answer of an append was lost', async () => {
    const memory = memoryJournal();
    let lose = false;
    const append: Journal['append'] = async (batch, expect) => {
      const answer = await memory.append(batch, expect);
      if (lose) {
        lose = false;
        throw new Error('the answer was lost');
      }
      return answer;
    };
    const { host, wall, entries } = await hostOn({ ...memory, append });
    lose = true;
    const seq = host.emit(changed());
    await wall.advance(60_000);
    expect(await seq).toBe(entries.find(({ kind }) => kind === 'event')!.seq);
  });
});
