// What explain says of entries that are no events: what they are, and the event that an intent began with.
import { map, mergeMap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { fhrp, syslog } from '../../src/core/selectors.ts';
import { type Explanation, explain } from '../../src/runtime/explain.ts';
import { mark } from '../core/marbles.ts';
import { caseless, isCapital, isSmall } from '../core/operators/correlating.ts';
import { gap, gatewayOf, hsrpEvent, Rig, row, textEvent } from '../core/rig.ts';

const settled = policy({
  name: 'settled',
  on: fhrp.changed({ gateway: 'lan23' }),
  key: ({ gateway }) => gateway,
  settle: { quiet: '2s', atMost: '6s' },
  ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
});
const other = policy({ name: 'other', on: syslog({ matches: /^never$/ }), pipe: (events) => events });

function explained(rig: Rig, seq: number, policies: readonly Policy[], only?: string): Promise<Explanation> {
  const journal = {
    async *ofKind() {
      yield [];
    },
    async *read() {
      yield rig.entries;
    },
  };
  const deployed = policies.map((one) => ({ policy: one, version: 'v1' }));
  return explain(journal as never, deployed, seq, only);
}

const lastSeq = (rig: Rig, kind: string): number => rig.entries.findLast((entry) => entry.kind === kind)!.seq;

/** The entry that the newest of a kind began with. */
async function rootOf(rig: Rig, subject: Policy, kind = 'intent'): Promise<number | undefined> {
  return (await explained(rig, lastSeq(rig, kind), [subject])).cause?.entry.seq;
}

describe('a gateway that settles', () => {
  test('explains everything that was done by the event that it began with', async () => {
    const rig = new Rig([settled, other], { inventory: gatewayOf('r1', 'r2') });
    rig.event(hsrpEvent('r2', 'active'));
    const seq = lastSeq(rig, 'event');
    const [first, second] = rig.pass(2_000);
    rig.event(textEvent('something else'));
    rig.reading(first!, { kind: 'rows', rows: [row('other')] });
    const [give] = rig.reading(second!, { kind: 'rows', rows: [row('active')] });
    rig.feed({
      kind: 'reading',
      reading: {
        target: 'r2',
        query: 'fhrp',
        intent: `${give!.id}/check`,
        result: { kind: 'rows', rows: [row('active')] },
        tookMs: 1,
      },
    });
    rig.feed({ kind: 'attempt', intent: give!.id, deadlineMs: 1_000, plan: ['network 23.0.0.0'] });
    const [take] = rig.outcome(give!, 'done');
    rig.outcome(take!, 'already');
    const done = rig.entries.filter(({ kind }) => ['intent', 'reading', 'attempt', 'outcome'].includes(kind));
    expect(done).toHaveLength(10);
    const { policies: whole } = await explained(rig, seq, [settled]);
    for (const entry of done) {
      const { policies, cause, note } = await explained(rig, entry.seq, [settled, other]);
      expect(cause, entry.kind).toMatchObject({ entry: { seq }, policies: whole });
      expect([policies, note]).toEqual([[], undefined]);
    }
    const told = await explained(rig, lastSeq(rig, 'attempt'), [settled]);
    expect(told.said).toBe('apply r2 network 23.0.0.0');
    expect(told.cause!.policies[0]!.conclusion).toBe('It fired and went through.');
    const asked = await explained(rig, lastSeq(rig, 'attempt'), [settled, other], 'other');
    expect(asked).toMatchObject({ policies: [], note: 'It is of settled; other has no part in it.' });
  });

  test('explains a look again by itself, and what comes after it', async () => {
    const rig = new Rig([settled], { inventory: gatewayOf('r1', 'r2') });
    rig.event(hsrpEvent('r2', 'active'));
    for (const read of rig.pass(2_000)) rig.reading(read, { kind: 'unreachable', reason: 'so' });
    expect(await rootOf(rig, settled)).toBe(lastSeq(rig, 'event'));
    const [first, second] = rig.pass(2_000);
    const tick = lastSeq(rig, 'tick');
    expect(await rootOf(rig, settled)).toBe(tick);
    rig.reading(first!, { kind: 'rows', rows: [row('other')] });
    rig.reading(second!, { kind: 'rows', rows: [row('active')] });
    expect(await rootOf(rig, settled)).toBe(tick);
    const { policies } = await explained(rig, tick, [settled]);
    expect(policies[0]!.steps[0]).toMatchObject({ step: 'exclusive', verdict: 'fired' });
  });

  test('explains a round that followed another by what came meanwhile, and one after a gap by the gap', async () => {
    const rig = new Rig([settled], { inventory: gatewayOf('r1', 'r2') });
    const [first, second] = rig.event(gap());
    rig.reading(first!, { kind: 'rows', rows: [row('other')] });
    const [give] = rig.reading(second!, { kind: 'rows', rows: [row('active')] });
    const [take] = rig.outcome(give!, 'done');
    expect(await rootOf(rig, settled)).toBe(lastSeq(rig, 'event'));
    rig.event(hsrpEvent('r1', 'active'));
    rig.pass(2_000);
    rig.outcome(take!, 'done');
    expect(await rootOf(rig, settled)).toBe(lastSeq(rig, 'event'));
  });

  test('explains what is given after the time of grace by the same event', async () => {
    const rig = new Rig([settled], { inventory: gatewayOf('r1', 'r2') });
    rig.event(hsrpEvent('r2', 'active'));
    const [, second] = rig.pass(2_000);
    rig.reading(second!, { kind: 'rows', rows: [row('active')] });
    expect(rig.pass(500)).toHaveLength(1);
    expect(await rootOf(rig, settled)).toBe(lastSeq(rig, 'event'));
  });
});

describe('a pipe', () => {
  test('explains an intent by the event that completed the window, and an alarm by the one that began it', async () => {
    const three = policy({
      name: 'p',
      on: syslog(),
      pipe: (letters, { threshold }) => letters.pipe(threshold(2, '60s'), map(mark)),
    });
    const rig = new Rig([three]);
    for (const letter of ['a', 'b']) rig.event(textEvent(letter));
    expect(await rootOf(rig, three)).toBe(lastSeq(rig, 'event'));
    const missing = policy({
      name: 'p',
      on: syslog(),
      pipe: (letters, { absent, notice }) =>
        letters.pipe(
          absent(isCapital, { after: isSmall, within: '5s', key: caseless }),
          mergeMap((event) => notice('missing', `${event.text} is alone`, [event.target])),
        ),
    });
    const alone = new Rig([missing]);
    alone.event(textEvent('a'));
    const seq = lastSeq(alone, 'event');
    alone.pass(1_000);
    alone.event(textEvent('b'));
    alone.pass(4_000);
    expect(await rootOf(alone, missing)).toBe(seq);
    alone.pass(1_000);
    expect(await rootOf(alone, missing)).toBe(lastSeq(alone, 'event'));
  });

  test('explains what follows an answer by the event before the question', async () => {
    const asks = policy({
      name: 'p',
      on: syslog(),
      pipe: (letters, { read }) => letters.pipe(mergeMap((event) => read('r1', 'fhrp').pipe(map(() => mark(event))))),
    });
    const rig = new Rig([asks]);
    const [read] = rig.event(textEvent('a'));
    const seq = lastSeq(rig, 'event');
    rig.event(textEvent('b'));
    rig.reading(read!, { kind: 'rows', rows: [] });
    expect(await rootOf(rig, asks)).toBe(seq);
    expect(await rootOf(rig, asks, 'reading')).toBe(seq);
  });
});

describe('what is no doing of a policy', () => {
  test('is said to be what it is, and that nobody is woken by it', async () => {
    const rig = new Rig([other]);
    rig.feed({ kind: 'command', by: 'me', verb: 'resolve', arguments: ['p@v1/1/1', 'done'] });
    rig.feed({ kind: 'command', by: 'me', verb: 'look', arguments: ['there'] });
    rig.feed({ kind: 'snapshot', through: 2, digest: 'd', runtime: 'r', policies: {}, unsettled: [] });
    rig.feed({ kind: 'decided', through: 3 });
    rig.feed({ kind: 'tick' });
    rig.feed({ kind: 'quarantine', policy: 'other', cause: 2, reason: 'removed: its file is gone' });
    const said: string[] = [];
    for (const { seq } of rig.entries) {
      const explanation = await explained(rig, seq, [other]);
      expect(explanation).toMatchObject({ policies: [], note: 'Nobody is woken by it.' });
      said.push(explanation.said);
    }
    expect(said).toEqual([
      'inventory: the network as described from here on, 3 targets',
      'deploy: from here on other runs as version v1',
      'notice me answers for p@v1/1/1: done',
      'command: me says look there',
      'snapshot: what was known after entry 2 is kept',
      'decided: all up to entry 3 has been decided',
      'tick: time passed, and something was due',
      'stopped other removed: its file is gone',
    ]);
    expect((await explained(rig, 1, [other], 'other')).note).toBe('other is not woken by it.');
  });

  test('is said where the policy is gone, or the intent', async () => {
    const rig = new Rig([settled], { inventory: gatewayOf('r1', 'r2') });
    const [read] = rig.event(gap());
    expect(await explained(rig, lastSeq(rig, 'intent'), [other])).toMatchObject({
      cause: { entry: { seq: lastSeq(rig, 'event') }, policies: [] },
      note: 'There is no policy settled any more, so that it cannot be followed.',
    });
    const later = new Rig([settled]);
    later.reading(read!, { kind: 'rows', rows: [] });
    expect((await explained(later, lastSeq(later, 'reading'), [settled])).note).toContain('What caused it is not known');
  });
});

describe('a policy that was stopped', () => {
  const boom = policy({
    name: 'boom',
    on: syslog({ matches: /^never$/ }),
    pipe: (letters) =>
      letters.pipe(
        map((): never => {
          throw new Error('boom');
        }),
      ),
  });
  const stop = (reason: string, seq: number) => ({ step: 'stopped', verdict: 'stopped', detail: reason, seq, afterMs: 0 });
  const story = (reason: string, ended?: 'hung'): { readonly rig: Rig; readonly cause: number } => {
    const rig = new Rig([other, boom]);
    rig.event(textEvent('never'));
    const cause = lastSeq(rig, 'event');
    rig.feed({ kind: 'quarantine', policy: 'boom', cause, reason, ...(ended ? { ended } : {}) });
    rig.event(textEvent('never'));
    return { rig, cause };
  };

  test.each([
    ['threw', 'boom', undefined],
    ['did not come back', 'it did not come back within 2 s', 'hung' as const],
  ])('is told at the entry at which it %s, and at that of its stop', async (_how, reason, ended) => {
    const { rig, cause } = story(reason, ended);
    const seq = lastSeq(rig, 'quarantine');
    const { policies } = await explained(rig, cause, [other, boom], 'boom');
    expect(policies[0]!.steps.at(-1)).toEqual(stop(reason, seq));
    expect(policies[0]!.conclusion).toBe('It was stopped by this entry.');
    const atStop = await explained(rig, seq, [other, boom]);
    expect(atStop.cause).toMatchObject({ entry: { seq: cause }, policies: [{ policy: 'boom' }] });
    expect(atStop.note).toBeUndefined();
  });

  test('was stopped before, at what comes later; and did not run yet, at what came earlier', async () => {
    const { rig, cause } = story('boom');
    const at = async (seq: number) => (await explained(rig, seq, [other, boom], 'boom')).policies[0]!.steps;
    expect(await at(lastSeq(rig, 'event'))).toMatchObject([{ detail: `it was stopped before: boom (at entry ${cause})` }]);
    const late = new Rig([other]);
    late.event(textEvent('never'));
    const early = await explained(late, lastSeq(late, 'event'), [other, boom], 'boom');
    expect(early.policies[0]!.steps).toMatchObject([{ detail: 'it did not run yet' }]);
  });
});
