// What the simulation found, each as a story of its own.
import { describe, expect, it } from 'vitest';
import { applyDeadlineMs } from '../../src/model/limits.ts';
import { Bench, value } from './switch.ts';

describe('a place in doubt', () => {
  it('is left alone for the attempt`s whole time after a restart, also by what took its place before', async () => {
    const bench = new Bench();
    const asked = bench.submit({ resource: value('LIVE') });
    await bench.untilAttempted();
    bench.sw1.set('down');
    await bench.pass(100);
    expect(bench.outcome(asked)!.kind).toBe('held');
    const other = bench.submit({ resource: value('OTHER'), validForMs: 600_000 });
    await bench.pass(100);
    expect(bench.outcome(asked)!.kind).toBe('superseded');
    bench.crash();
    bench.sw1.set('up');
    await bench.pass(applyDeadlineMs - 100);
    expect(bench.outcome(other)?.kind).not.toBe('done');
    expect(bench.sw1.writes).toEqual([]);
    await bench.pass(20_000);
    expect(bench.outcome(other)!.kind).toBe('done');
    expect(bench.sw1.writes).toEqual(['set Gi1 OTHER']);
  });

  it('is probed by the next wish for the same, and not written again before its time', async () => {
    const bench = new Bench();
    bench.submit({ resource: value('LIVE') });
    await bench.untilAttempted();
    bench.sw1.set('down');
    await bench.pass(100);
    const again = bench.submit({ resource: value('LIVE'), validForMs: 600_000 });
    bench.sw1.set('up');
    await bench.pass(5_000);
    expect(bench.sw1.writes).toEqual([]);
    // The device takes late what was sent.
    bench.sw1.values.set('Gi1', 'LIVE');
    await bench.pass(20_000);
    expect(bench.outcome(again)).toMatchObject({ kind: 'done', reason: expect.stringContaining('found applied') });
    expect(bench.sw1.writes).toEqual([]);
  });

  it('stays in doubt where the answer of the probe cannot be read', async () => {
    const bench = new Bench();
    const id = bench.submit({ resource: value('LIVE') });
    await bench.untilAttempted();
    bench.crash();
    bench.sw1.set('garbled');
    await bench.pass(1_000);
    expect(bench.outcome(id)).toBeUndefined();
    bench.sw1.set('up');
    bench.sw1.values.set('Gi1', 'LIVE');
    await bench.pass(20_000);
    expect(bench.outcome(id)!.kind).toBe('done');
    expect(bench.sw1.writes).toEqual([]);
  });

  it('that our own attempt left empty is filled by it', async () => {
    const bench = new Bench();
    bench.sw1.values.set('Gi1', 'LIVE');
    const id = bench.submit({ resource: value('OLD'), replaces: ['LIVE'] });
    await bench.untilAttempted();
    bench.crash();
    bench.sw1.values.delete('Gi1');
    await bench.pass(20_000);
    expect(bench.outcome(id)!.kind).toBe('done');
    expect(bench.sw1.writes).toEqual(['set Gi1 OLD']);
  });
});

describe('an ensure', () => {
  it('that can only be held while a newer one waits for its place is superseded, not forgotten', async () => {
    const bench = new Bench();
    const older = bench.submit({ resource: value('A') });
    await bench.untilAttempted();
    const newer = bench.submit({ resource: value('B') });
    bench.sw1.set('down');
    await bench.pass(1_000);
    expect(bench.outcome(older)).toMatchObject({ kind: 'superseded', reason: expect.stringContaining(`by ${newer}`) });
  });

  it('whose state cannot be read has failed: it may be readable when it is asked for again', async () => {
    const bench = new Bench();
    bench.sw1.set('garbled');
    const id = bench.submit({ resource: value('A') });
    await bench.pass(1_000);
    expect(bench.outcome(id)!.kind).toBe('failed');
  });
});
