// Owns: what of the journal may be forgotten: which snapshots stay, and up to which of them entries go.
//
// F1. Entries go up to a snapshot that stays: it stands for the beginning.
// F2. Nothing goes that a start needs, that is open or unanswered, or that came since the oldest hold began (DESIGN 8).
// F3. It goes only where what stands for it has been read and is whole: a disk may have lost it (keeper.ts).
// F4. The newest snapshots stay, then one an hour, then one a day.
import type { KeptSnapshot } from './snapshots.ts';

export interface Needs {
  /** Seqs of entries that must stay: of what is open or unanswered. */
  readonly seqs: readonly number[];
  /** Times from which on entries must stay: the oldest hold's, and how far back pipes with a horizon look. */
  readonly since: readonly number[];
}

export interface Forgetting {
  /** The snapshot that becomes the beginning: entries up to it go; undefined: none do. */
  readonly upTo: KeptSnapshot | undefined;
  /** Snapshots whose blobs go. */
  readonly snapshots: readonly KeptSnapshot[];
  /** Those that the next start is left with for it: they must be whole. */
  readonly relied: readonly KeptSnapshot[];
}

const newestKept = 3;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/**
 * `kept`: the oldest first. `keepSince`: entries from then on stay; Infinity where the journal must get shorter. `begun`: entries up
 * to this one are gone.
 */
export function forgetting(kept: readonly KeptSnapshot[], needs: Needs, keepSince: number, now: number, begun = 0): Forgetting {
  const start = kept.findLastIndex(({ unsettled }) => !unsettled);
  const enough = kept.findLastIndex(
    ({ through, at }, index) =>
      index <= start && needs.seqs.every((seq) => through < seq) && needs.since.every((time) => at <= time),
  );
  // Under pressure one snapshot's entries at a time: as much as is needed goes, and no more.
  const isPressed = keepSince === Number.POSITIVE_INFINITY;
  const old = isPressed ? kept.findIndex(({ through }) => through > begun) : kept.findLastIndex(({ at }) => at <= keepSince);
  const upTo = kept[Math.min(enough, old)];
  const rest = upTo ? kept.slice(kept.indexOf(upTo)) : kept;
  const relied = [upTo, kept[start], kept[enough]].filter((one) => one !== undefined);
  const stay = new Set([...thinned(rest, now), ...relied]);
  return { upTo, snapshots: kept.filter((one) => !stay.has(one)), relied };
}

/** The oldest of each hour of the last day, and of each day before; and the newest. */
function thinned(kept: readonly KeptSnapshot[], now: number): readonly KeptSnapshot[] {
  const spans = new Map<string, KeptSnapshot>();
  for (const one of kept) {
    const [span, length] = now - one.at < dayMs ? (['hour', hourMs] as const) : (['day', dayMs] as const);
    const key = `${span} ${Math.floor(one.at / length)}`;
    if (!spans.has(key)) spans.set(key, one);
  }
  return [...spans.values(), ...kept.slice(-newestKept)];
}
