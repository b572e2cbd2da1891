// Owns: the checker: what the journal forgot nobody needed: nothing was open or unanswered there, no hold that was on came from
// there, and a whole snapshot stands for it.
import { Engine } from '../../../src/core/engine.ts';
import type { Finished } from '../simulate.ts';

export function forgetsRightly({ entries, policies, disk }: Finished): readonly string[] {
  const engine = new Engine(policies);
  const trims = disk.trims.toSorted((one, other) => one.lastSeq - other.lastSeq);
  const found: string[] = [];
  for (const [index, entry] of entries.entries()) {
    engine.step(entry);
    const last = entries[index + 1]?.seq ?? Number.POSITIVE_INFINITY;
    while (trims[0] && trims[0].lastSeq < last) {
      const { beforeSeq, stands } = trims.shift()!;
      const forgot = `entries before ${beforeSeq} were forgotten`;
      const needed = [...engine.ledger.open(), ...engine.ledger.unknown()].find(({ seq }) => seq < beforeSeq);
      if (needed) found.push(`${forgot}, and ${needed.intent.id} of entry ${needed.seq} was open`);
      const held = engine.heldSince() ?? Number.POSITIVE_INFINITY;
      const before = entries.findLast(({ seq }) => seq < beforeSeq);
      if (before && before.at > held) found.push(`${forgot}, and a hold had been on since before`);
      if (!stands) found.push(`${forgot}, and no whole snapshot stands for them`);
    }
  }
  return found.slice(0, 3);
}
