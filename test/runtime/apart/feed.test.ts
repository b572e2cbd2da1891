// What policies are handed in their thread is less than there is, and later; what comes of it must be what comes of everything. The
// host, what feeds the thread and the engine in it are the real ones; the thread is slow, falls behind, dies and is replaced at random.
import fc from 'fast-check';
import { map, mergeMap } from 'rxjs';
import { expect, it } from 'vitest';
import { Engine, type PolicyFault } from '../../../src/core/engine.ts';
import { policy } from '../../../src/core/policy.ts';
import type { SavedEngine } from '../../../src/core/saved-engine.ts';
import { fhrp, syslog } from '../../../src/core/selectors.ts';
import type { Entry, EntryBody, EntryOf } from '../../../src/model/entry.ts';
import type { Event } from '../../../src/model/event.ts';
import type { Intent } from '../../../src/model/intent.ts';
import { unpacked } from '../../../src/runtime/snapshots.ts';
import { turn } from '../../../src/runtime/wall.ts';
import { eventOf, hsrpEvent, inventory, textEvent } from '../../core/rig.ts';
import { type Pretend, pretend, version } from './pretend.ts';

/** Alarms are due in these, and time passes in these: they meet often. */
const unitMs = 50;
const uuid = 'c7a5fdbd-edaf-9455-926a-d65c16db1809';

const letter = (mnemonic: string, text: string): Event => {
  const event = textEvent(text);
  return { ...event, syslog: { ...event.syslog!, mnemonic: `TEST-5-${mnemonic}` } };
};

const policies = [
  // What it says hangs on facts that no policy was told.
  policy({
    name: 'looks',
    on: syslog({ mnemonic: 'LOOKS' }),
    pipe: (events, { notice, inventory: known }) =>
      events.pipe(mergeMap(({ text }) => notice('looks', `${text} ${JSON.stringify(known.vm('one') ?? null)}`))),
  }),
  policy({
    name: 'waits',
    on: syslog({ mnemonic: 'WAITS' }),
    pipe: (events, { notice, perKey, settle }) =>
      events.pipe(
        perKey(
          ({ text }) => text,
          (some) => some.pipe(settle({ quiet: '100ms', atMost: '150ms' })),
        ),
        mergeMap(({ text }) => notice('waits', text)),
      ),
  }),
  // Sets its alarm for now, and another one when it rings.
  policy({
    name: 'at-once',
    on: syslog({ mnemonic: 'ATONCE' }),
    pipe: (events, { notice, settle }) =>
      events.pipe(
        settle({ quiet: '0ms' }),
        settle({ quiet: '0ms' }),
        mergeMap(({ text }) => notice('at-once', text)),
      ),
  }),
  policy({
    name: 'asks',
    on: syslog({ mnemonic: 'ASKS' }),
    pipe: (events, { notice, read }) =>
      events.pipe(
        mergeMap(({ text }) => read('r1', 'fhrp').pipe(map((rows) => `${text} ${rows.length}`))),
        mergeMap((text) => notice('asks', text)),
      ),
  }),
  policy({
    name: 'throws',
    on: syslog({ mnemonic: 'THROWS' }),
    pipe: (events, { notice, settle }) =>
      events.pipe(
        settle({ quiet: '50ms' }),
        mergeMap(({ text }) => {
          if (text === 'b') throw new Error('as it must');
          return notice('throws', text);
        }),
      ),
  }),
  policy({
    name: 'changes',
    on: fhrp.changed({ gateway: 'lan42' }),
    pipe: (events, { notice }) => events.pipe(mergeMap(({ member, role }) => notice('changes', `${member} ${role}`))),
  }),
];

const text = fc.constantFrom('a', 'b', 'c');
const heard = fc.tuple(fc.constantFrom('LOOKS', 'WAITS', 'ATONCE', 'ASKS', 'THROWS'), text).map(([what, of]) => letter(what, of));
const factsAlone = fc.oneof(
  fc
    .constantFrom('started', 'suspended', 'resumed', 'stopped', 'crashed')
    .map((event) => eventOf('r1', { kind: 'vm.lifecycle', vm: 'one', uuid, event, detail: event })),
  fc
    .tuple(fc.constantFrom('r1', 'r2', 'r3'), fc.constantFrom('active', 'standby', 'init'))
    .map(([target, to]) => hsrpEvent(target, to as 'active', 23)),
);
const others = fc.oneof(
  text.map((of) => letter('NOBODY', of)),
  fc.constantFrom('r1', 'r2').map((target) => hsrpEvent(target, 'active', 42)),
  fc.constant(eventOf('r1', { kind: 'source.gap', source: 'test', reason: 'a test' })),
);
const events = fc.array(
  fc.oneof({ weight: 3, arbitrary: heard }, { weight: 4, arbitrary: factsAlone }, { weight: 3, arbitrary: others }),
  { minLength: 1, maxLength: 4 },
);
const few = fc.integer({ min: 1, max: 4 });

const move = fc.oneof(
  { weight: 6, arbitrary: events.map((some) => ({ move: 'offer' as const, some })) },
  // Before the host's own tick at that time, for it was set before.
  { weight: 2, arbitrary: fc.tuple(few, events).map(([units, some]) => ({ move: 'offer-later' as const, units, some })) },
  {
    weight: 2,
    arbitrary: fc.array(factsAlone, { minLength: 1, maxLength: 4 }).map((some) => ({ move: 'offer' as const, some })),
  },
  { weight: 2, arbitrary: fc.constant({ move: 'answer' as const }) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 4 }).map((units) => ({ move: 'pass' as const, units })) },
  { weight: 4, arbitrary: few.map((orders) => ({ move: 'work' as const, orders })) },
  { weight: 4, arbitrary: few.map((reports) => ({ move: 'hear' as const, reports })) },
  { weight: 3, arbitrary: fc.constant({ move: 'settle' as const }) },
  { weight: 1, arbitrary: fc.constantFrom(...policies).map(({ name }) => ({ move: 'deploy' as const, name })) },
  { weight: 1, arbitrary: fc.constant({ move: 'take-over' as const }) },
  { weight: 1, arbitrary: fc.constant({ move: 'die' as const }) },
);
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

const kept = (offbox: Pretend, body: EntryBody): void => void offbox.host.submit(body).catch(() => undefined);

/** Nobody begins another thread for the third that dies within a minute. */
const deathsMax = 2;

async function played(offbox: Pretend, moves: readonly Move[]): Promise<void> {
  const { host, wall, threads } = offbox;
  const sink = host.sink('test');
  let deaths = 0;
  for (const one of moves) {
    if (one.move === 'offer') sink.offer(one.some);
    else if (one.move === 'offer-later') wall.after(one.units * unitMs, () => sink.offer(one.some));
    else if (one.move === 'answer') answer(offbox);
    else if (one.move === 'pass') await wall.advance(one.units * unitMs);
    else if (one.move === 'work') for (const thread of threads) await thread.work(one.orders);
    else if (one.move === 'hear') for (const thread of threads) thread.hear(one.reports);
    else if (one.move === 'settle') await offbox.settled();
    else if (one.move === 'deploy') kept(offbox, { kind: 'deploy', policy: one.name, version, runtime: 'test' });
    else if (one.move === 'take-over') await offbox.takeOver();
    else if (deaths < deathsMax && threads.at(-1)!.die()) deaths += 1;
    // What came in one turn is one append.
    await turn();
  }
  await offbox.settled();
}

function answer(offbox: Pretend): void {
  for (const { id, want } of offbox.open.splice(0)) {
    if (want.kind !== 'read') continue;
    const { target, query } = want;
    kept(offbox, { kind: 'reading', reading: { target, query, intent: id, result: { kind: 'rows', rows: [] }, tookMs: 1 } });
  }
}

/** What an engine that steps every entry, one after another, derives. */
function derivedFrom(entries: readonly Entry[]) {
  const engine = new Engine(policies.map((each) => ({ policy: each, version })));
  const intents: Intent[] = [];
  const faults: PolicyFault[] = [];
  const nextDue = new Map<number, number | undefined>();
  const saved = new Map<number, SavedEngine>();
  const named = new Set(entries.flatMap((entry) => (entry.kind === 'snapshot' ? [entry.through] : [])));
  for (const entry of entries) {
    const stepped = engine.step(entry);
    intents.push(...stepped.intents);
    faults.push(...stepped.faults);
    nextDue.set(entry.seq, stepped.nextDue);
    if (named.has(entry.seq)) saved.set(entry.seq, JSON.parse([...engine.save()].join('')));
  }
  return { intents, faults, nextDue, saved };
}

const ofKind = <K extends Entry['kind']>(entries: readonly Entry[], kind: K) =>
  entries.filter((entry) => entry.kind === kind) as unknown as readonly EntryOf<K>[];

/** The order in which alarms were set and policies began is told anew by every thread; what is remembered and due is not. */
const comparable = ({ cells, clock, ...rest }: SavedEngine) => ({
  ...rest,
  now: clock.now,
  cells: Object.entries(cells)
    .flatMap(([path, { cells: records }]) => records.map(([prefix, key, { data, dueAt }]) => [path, prefix, key, data, dueAt]))
    .map((record) => JSON.stringify(record))
    .sort(),
});

async function holds(offbox: Pretend): Promise<void> {
  const { entries, appends, decided } = offbox;
  const { intents, faults, nextDue, saved } = derivedFrom(entries);
  expect(offbox.failures).toEqual([]);
  expect(offbox.warnings.filter((text) => !/it was begun anew/.test(text))).toEqual([]);
  expect(ofKind(entries, 'intent').map(({ intent }) => intent)).toEqual(JSON.parse(JSON.stringify(intents)));
  expect(ofKind(entries, 'quarantine').map(({ policy: name, cause }) => [name, cause])).toEqual(
    faults.map(({ policy: name, cause }) => [name, cause]),
  );
  // What is wanted because of an entry is recorded no later than that it was decided (law E3).
  const endOf = (seq: number): number => appends.find(({ first, last }) => first <= seq && seq <= last)!.last;
  let before = 0;
  for (const { through, seq } of ofKind(entries, 'decided')) {
    expect(through).toBeGreaterThanOrEqual(before);
    expect(through).toBeLessThan(seq);
    before = through;
    const later = ofKind(entries, 'intent').filter((entry) => entry.seq > endOf(seq) && entry.intent.cause <= through);
    expect(later).toEqual([]);
  }
  // What rings next is known as soon as it is said up to where.
  for (const one of decided) expect([one.through, one.nextDue]).toEqual([one.through, nextDue.get(one.through)]);
  expect(decided.at(-1)?.through ?? entries.at(-1)!.seq).toBe(entries.at(-1)!.seq);
  for (const { through, digest } of ofKind(entries, 'snapshot')) {
    const { engine } = unpacked((await offbox.journal.getBlob(digest))!);
    expect(comparable(engine)).toEqual(comparable(saved.get(through)!));
  }
}

const bounds = fc.record({
  appends: fc.integer({ min: 2, max: 6 }),
  text: fc.integer({ min: 600, max: 6_000 }),
  facts: fc.integer({ min: 1, max: 6 }),
  factsText: fc.integer({ min: 300, max: 3_000 }),
});

it('wants in its thread exactly what an engine derives that steps every entry, however slow and mortal the thread is', async () => {
  await fc.assert(
    fc.asyncProperty(
      bounds,
      fc.integer({ min: 4, max: 40 }),
      fc.array(move, { minLength: 1, maxLength: 60, size: 'max' }),
      async (within, snapshotEntries, moves) => {
        const offbox = await pretend({ policies, inventory, bounds: within, snapshotEntries });
        await played(offbox, moves);
        await holds(offbox);
      },
    ),
    { numRuns: 300 },
  );
}, 120_000);

it('leaves a reload in force that was done while another thread was begun in place of one that died', async () => {
  const within = { appends: 4, text: 4_000, facts: 4, factsText: 2_000 };
  const offbox = await pretend({ policies, inventory, bounds: within, snapshotEntries: 100 });
  await played(offbox, [{ move: 'die' }, { move: 'take-over' }, { move: 'offer', some: [letter('LOOKS', 'a')] }]);
  expect(offbox.threads.map(({ isEnded }) => isEnded)).toEqual([true, true, false]);
  await holds(offbox);
});
