// How long an intent waits: a day for a target that is away, where what it follows from is read again; minutes for another mode.
import { describe, expect, it } from 'vitest';
import { withheldValidMs } from '../../src/model/limits.ts';
import { durationMs } from '../../src/model/time.ts';
import { Bench, sticky } from './switch.ts';

const dayMs = durationMs('24h');
const cleared = { resource: sticky(), desired: 'absent', validForMs: dayMs } as const;

describe('an intent that is valid for a day', () => {
  it('is done when its target is back within the day, over a crash too', async () => {
    const bench = new Bench();
    bench.sw1.rows.add('aa');
    bench.sw1.set('down');
    const id = bench.submit(cleared);
    await bench.pass(dayMs / 2);
    bench.crash();
    await bench.pass(dayMs / 3);
    expect(bench.outcome(id)!.kind).toBe('held');
    bench.sw1.set('up');
    await bench.pass(60_000);
    expect(bench.outcome(id)!.kind).toBe('done');
    expect(bench.sw1.writes).toEqual(['clear aa']);
  });

  it('has expired when it comes back later', async () => {
    const bench = new Bench();
    bench.sw1.rows.add('aa');
    bench.sw1.set('down');
    const id = bench.submit(cleared);
    await bench.pass(dayMs + 1_000);
    bench.sw1.set('up');
    await bench.pass(60_000);
    expect(bench.outcome(id)).toEqual({ kind: 'expired', reason: 'it was to be done within 24 h' });
    expect(bench.sw1.writes).toEqual([]);
  });

  it.each([
    ['is done', withheldValidMs / 2, 'done', ['clear aa']],
    ['has expired', withheldValidMs + 60_000, 'expired', []],
  ] as const)('%s where a mode withheld it, and another is in force %i ms later', async (_what, ms, kind, writes) => {
    const bench = new Bench();
    bench.mode = 'observe';
    bench.crash();
    bench.sw1.rows.add('aa');
    const id = bench.submit(cleared);
    await bench.pass(ms);
    expect(bench.outcome(id)).toMatchObject({ kind: 'held', withheld: true });
    bench.mode = 'enforce';
    bench.crash();
    await bench.pass(60_000);
    expect(bench.outcome(id)!.kind).toBe(kind);
    expect(bench.sw1.writes).toEqual(writes);
  });
});
