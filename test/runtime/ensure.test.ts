import { describe, expect, it } from 'vitest';
import { comesBackMax } from '../../src/model/limits.ts';
import { Bench, placement, seen, sticky, value } from './switch.ts';

describe('a place with a value', () => {
  it('is changed where nothing stands, and the attempt says so', async () => {
    const bench = new Bench();
    const id = bench.submit({ resource: value('LIVE'), replaces: [null, 'LIVE'] });
    await bench.pass(1_000);
    expect(bench.outcome(id)!.kind).toBe('done');
    expect(bench.attempts()).toMatchObject([{ intent: id, before: null, plan: ['set Gi1 LIVE'] }]);
  });

  it('is not changed where something stands that is nobody`s to replace: refused, with what stands there', async () => {
    const bench = new Bench();
    bench.sw1.values.set('Gi1', 'OLD');
    const id = bench.submit({ resource: value('LIVE'), replaces: [null, 'LIVE'] });
    await bench.pass(1_000);
    expect(bench.outcome(id)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('OLD stands there') });
    expect([bench.attempts(), bench.sw1.writes]).toEqual([[], []]);
  });

  it('is changed where that may be replaced, and the attempt has what stood there', async () => {
    const bench = new Bench();
    bench.sw1.values.set('Gi1', 'OLD');
    bench.submit({ resource: value('LIVE') });
    await bench.pass(1_000);
    expect(bench.attempts()).toMatchObject([{ before: 'OLD' }]);
    const back = bench.submit({ resource: value('OLD'), replaces: ['LIVE'] });
    await bench.pass(1_000);
    expect(bench.outcome(back)!.kind).toBe('done');
    expect(bench.sw1.values.get('Gi1')).toBe('OLD');
  });

  it('that is empty is not ours to fill again where something of ours should stand', async () => {
    const bench = new Bench();
    const id = bench.submit({ resource: value('OLD'), replaces: ['LIVE'] });
    await bench.pass(1_000);
    expect(bench.outcome(id)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('nothing stands there') });
  });

  it('is changed upon what a plan needs to know; what proves it is read after', async () => {
    const bench = new Bench();
    bench.submit({ resource: value('LIVE') });
    await bench.pass(1_000);
    expect(bench.sw1.heard).toEqual(['value Gi1', 'set Gi1 LIVE', 'value Gi1', 'proof Gi1']);
  });

  it('that is so already is proved by the rest of what was begun to be read', async () => {
    const bench = new Bench();
    bench.sw1.values.set('Gi1', 'LIVE');
    const id = bench.submit({ resource: value('LIVE') });
    await bench.pass(1_000);
    expect(bench.outcome(id)!.kind).toBe('already');
    expect(bench.sw1.heard).toEqual(['value Gi1', 'proof Gi1']);
  });

  it('that is so already is already so, whatever may be replaced', async () => {
    const bench = new Bench();
    bench.sw1.values.set('Gi1', 'LIVE');
    const id = bench.submit({ resource: value('LIVE'), replaces: [] });
    await bench.pass(1_000);
    expect(bench.outcome(id)!.kind).toBe('already');
  });

  it('has one wish at a time: another value for it takes the place of the one that waits', async () => {
    const bench = new Bench();
    bench.submit({ resource: value('X', 'Gi2') });
    const [first, second] = [bench.submit({ resource: value('A') }), bench.submit({ resource: value('B') })];
    await bench.pass(1_000);
    expect([bench.outcome(first)!.kind, bench.outcome(second)!.kind]).toEqual(['superseded', 'done']);
    expect(bench.sw1.writes).toEqual(['set Gi2 X', 'set Gi1 B']);
  });

  it('without a value has nothing to say of what stood there', async () => {
    const bench = new Bench();
    bench.submit({ resource: sticky() });
    await bench.pass(1_000);
    expect(bench.attempts()[0]).not.toHaveProperty('before');
  });
});

describe('withdrawn', () => {
  it('what has not begun does not begin, and what stands there by itself is left', async () => {
    const bench = new Bench();
    await bench.pass(100);
    bench.sw1.values.set('Gi1', 'LIVE');
    bench.sw1.set('down');
    const asked = bench.submit({ resource: value('LIVE') });
    await bench.pass(1_000);
    expect(bench.outcome(asked)!.kind).toBe('held');
    const back = bench.submit({ resource: value('LIVE'), desired: 'absent', withdraw: true });
    bench.sw1.set('up');
    await bench.pass(60_000);
    expect([bench.outcome(asked)!.kind, bench.outcome(back)!.kind]).toEqual(['superseded', 'already']);
    expect([bench.sw1.values.get('Gi1'), bench.sw1.writes]).toEqual(['LIVE', []]);
  });

  it('what takes the place of one in doubt waits until nothing of that can be under way', async () => {
    const bench = new Bench();
    await bench.pass(100);
    const asked = bench.submit({ resource: value('LIVE') });
    await bench.untilAttempted();
    bench.sw1.set('down');
    await bench.pass(1_000);
    expect(bench.outcome(asked)).toMatchObject({ kind: 'held', reason: expect.stringContaining('in doubt') });
    const [attempt] = bench.attempts();
    bench.sw1.set('up');
    const back = bench.submit({ resource: value('LIVE'), desired: 'absent', validForMs: 600_000 });
    await bench.pass(300_000);
    expect([bench.outcome(asked)!.kind, bench.outcome(back)!.kind]).toEqual(['superseded', 'already']);
    expect(bench.entries.findLast(({ kind }) => kind === 'outcome')!.at).toBeGreaterThanOrEqual(
      attempt!.at + attempt!.deadlineMs,
    );
  });
});

describe('what shall stay so', () => {
  const clear = { resource: sticky(), desired: 'absent', staysMs: 5_000 } as const;
  const withRow = () => {
    const bench = new Bench();
    bench.sw1.rows.add('aa');
    return bench;
  };

  it('ends done only after it has stayed so; others do not wait for it', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    const other = bench.submit({ resource: value('X') });
    await bench.pass(4_000);
    expect([bench.outcome(id), bench.outcome(other)!.kind]).toEqual([undefined, 'done']);
    await bench.pass(3_000);
    expect(bench.outcome(id)!.kind).toBe('done');
    expect(bench.endedAt(id)).toBeGreaterThanOrEqual(5_000);
  });

  it('is done again as often as it comes back, and ends when it stays', async () => {
    const bench = withRow();
    bench.sw1.comesBack = { times: 2, afterMs: 600 };
    const id = bench.submit(clear);
    await bench.pass(10_000);
    expect(bench.sw1.writes).toEqual(['clear aa', 'clear aa', 'clear aa']);
    expect(bench.attempts().map(({ intent }) => intent)).toEqual([id, id, id]);
    expect(bench.outcomes()).toEqual(['done']);
  });

  it('that comes back for ever has failed, after so many times', async () => {
    const bench = withRow();
    bench.sw1.comesBack = { times: Number.POSITIVE_INFINITY, afterMs: 600 };
    const id = bench.submit(clear);
    await bench.pass(120_000);
    expect(bench.outcome(id)).toMatchObject({ kind: 'failed', reason: `it came back ${comesBackMax + 1} times` });
    expect(bench.sw1.writes).toHaveLength(comesBackMax + 1);
  });

  it('is watched also where it was so before', async () => {
    const bench = new Bench();
    const id = bench.submit(clear);
    await bench.pass(4_000);
    expect(bench.outcome(id)).toBeUndefined();
    bench.sw1.rows.add('aa');
    await bench.pass(20_000);
    expect([bench.outcome(id)!.kind, bench.sw1.writes]).toEqual(['done', ['clear aa']]);
  });

  it('is done at once when it is seen where it cannot come back from', async () => {
    const bench = withRow();
    bench.sw2.rows.add('bb');
    const id = bench.submit({ ...clear, unless: seen('bb') });
    await bench.pass(1_000);
    expect(bench.outcome(id)!.kind).toBe('done');
  });

  it('is watched to its end where that cannot be read', async () => {
    const bench = withRow();
    bench.sw2.set('down');
    const id = bench.submit({ ...clear, unless: seen('bb') });
    await bench.pass(4_000);
    expect(bench.outcome(id)).toBeUndefined();
    await bench.pass(60_000);
    expect(bench.outcome(id)!.kind).toBe('done');
  });

  it('is superseded by a newer wish while it is watched, and then not done again', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    await bench.pass(1_000);
    const newer = bench.submit({ resource: sticky() });
    await bench.pass(20_000);
    expect([bench.outcome(id)!.kind, bench.outcome(newer)!.kind]).toEqual(['superseded', 'done']);
    expect(bench.sw1.writes).toEqual(['clear aa', 'add aa']);
  });

  it('is superseded by a newer wish that came while it was being done', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    await bench.untilAttempted();
    bench.submit({ resource: sticky() });
    await bench.pass(20_000);
    expect([bench.outcome(id)!.kind, bench.sw1.writes]).toEqual(['superseded', ['clear aa', 'add aa']]);
    expect(bench.outcomes()).toEqual(['superseded', 'done']);
  });

  it('is held while its switch cannot be reached, and watched again when it is back', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    await bench.pass(1_000);
    bench.sw1.set('down');
    await bench.pass(2_000);
    expect(bench.outcome(id)).toMatchObject({ kind: 'held', reason: expect.stringContaining('cannot be read') });
    bench.sw1.rows.add('aa');
    bench.sw1.set('up');
    await bench.pass(60_000);
    expect([bench.outcome(id)!.kind, bench.sw1.writes]).toEqual(['done', ['clear aa', 'clear aa']]);
  });

  it('has failed where its switch answers nonsense: no reconnect would mend that', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    await bench.pass(1_000);
    bench.sw1.set('garbled');
    await bench.pass(1_000);
    expect(bench.outcome(id)!.kind).toBe('failed');
  });

  it('is probed and watched again after a crash in between', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    await bench.pass(2_000);
    expect(bench.attempts()).toHaveLength(1);
    bench.crash();
    await bench.pass(4_500);
    expect(bench.outcome(id)).toBeUndefined();
    await bench.pass(2_000);
    expect([bench.outcome(id)!.kind, bench.sw1.writes]).toEqual(['done', ['clear aa']]);
  });

  it('is done again after a crash during which it came back', async () => {
    const bench = withRow();
    const id = bench.submit(clear);
    await bench.pass(2_000);
    bench.sw1.rows.add('aa');
    bench.crash();
    await bench.pass(120_000);
    expect([bench.outcome(id)!.kind, bench.sw1.writes]).toEqual(['done', ['clear aa', 'clear aa']]);
  });
});

describe('what takes long', () => {
  it('is waited for as long as its kind may take, and holds nobody up', async () => {
    const bench = new Bench();
    const slow = bench.submit({ resource: placement() });
    const other = bench.submit({ resource: value('X') });
    await bench.pass(5_000);
    expect([bench.outcome(slow), bench.outcome(other)!.kind]).toEqual([undefined, 'done']);
    await bench.pass(60_000);
    expect(bench.outcome(slow)!.kind).toBe('done');
    expect(bench.attempts()[0]!.deadlineMs).toBe(120_000);
  });

  it('ends at once where waiting longer changes nothing', async () => {
    const bench = new Bench();
    bench.sw1.doomed.add('u1');
    const id = bench.submit({ resource: placement() });
    await bench.pass(1_000);
    expect(bench.outcome(id)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('On its way') });
  });

  it('and does not come ends failed after its own deadline', async () => {
    const bench = new Bench();
    const id = bench.submit({ resource: placement('u2'), prove: true });
    await bench.pass(299_000);
    expect(bench.outcome(id)).toBeUndefined();
    await bench.pass(2_000);
    expect([bench.outcome(id)!.kind, bench.sw1.writes]).toEqual(['failed', []]);
  });
});

describe('a proof', () => {
  it('only looks, stands in nobody`s way, and is given what another does meanwhile', async () => {
    const bench = new Bench();
    const proof = bench.submit({ resource: value('LIVE'), prove: true });
    await bench.pass(50);
    const done = bench.submit({ resource: value('LIVE') });
    await bench.pass(5_000);
    expect([bench.outcome(proof)!.kind, bench.outcome(done)!.kind]).toEqual(['already', 'done']);
    expect(bench.sw1.writes).toEqual(['set Gi1 LIVE']);
  });
});
