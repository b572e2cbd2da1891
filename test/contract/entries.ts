// Owns: entries for journal tests: small ones by hand, and arbitrary ones with whatever a wire may bring.
import fc from 'fast-check';
import type { Entry, NewEntry } from '../../src/model/entry.ts';
import type { Journal } from '../../src/ports/journal.ts';

export const tick = (at: number): NewEntry => ({ kind: 'tick', at });

/** An entry whose JSON is exactly `bytes` long. */
export function entryOfBytes(bytes: number, filler = 'x'): NewEntry {
  const empty = { kind: 'command', by: '', verb: 'note', arguments: [], at: 1 } satisfies NewEntry;
  return { ...empty, by: filler.repeat(bytes - JSON.stringify(empty).length) };
}

export const batchOf = (count: number, at = 1): NewEntry[] => Array.from({ length: count }, (_, index) => tick(at + index));

/** Text as devices and attackers send it: any UTF-16, lone surrogates and NULs included, and pieces that look like ours. */
export const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom('', '\u0000', '\ud800', '\udc00x', '"],[', '\\', '\n', '\u2028', '__proto__', "'; DROP TABLE batch; --"),
);

export const anyEntry: fc.Arbitrary<NewEntry> = fc.oneof(
  fc.record({ kind: fc.constant('tick' as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant('command' as const),
    by: anyText,
    verb: anyText,
    arguments: fc.array(anyText, { maxLength: 4 }),
    at: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('attempt' as const),
    intent: anyText,
    deadlineMs: fc.integer(),
    plan: fc.array(anyText, { maxLength: 3 }),
    at: fc.maxSafeNat(),
  }),
);

export const anyBatch = fc.array(anyEntry, { minLength: 1, maxLength: 20 });

export const numbered = (batch: readonly NewEntry[], firstSeq: number): Entry[] =>
  batch.map((entry, index) => ({ ...entry, seq: firstSeq + index }));

export async function allOf(journal: Pick<Journal, 'read'>, fromSeq = 1): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of journal.read(fromSeq)) entries.push(...batch);
  return entries;
}
