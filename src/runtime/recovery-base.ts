// Owns: from where a replay begins: the newest snapshot that is whole and fits, and the older place from which some policies must be
// brought up to it alone.
//
// B1. A policy fits a snapshot that was taken of its version, in its runtime, with every answer in that its pipe asked for: then all
//     it remembers is in there (law E6). The others are replayed from the newest older snapshot that all of them fit.
// B2. A version that no snapshot knows is warmed by the whole recorded past, alone; what others remember is taken from the newest.
// B3. A journal without its beginning was trimmed up to a snapshot: that one stands for the beginning, whatever versions it is of; but not
//     for a policy whose pipe waited for an answer in it, where a later one fits: then the new version has that much less of a past.
// B4. Which snapshots are still there is told by the newest that can be read, whatever Offbox it is of: another one's stand for what they
//     are of as well, and what is forgotten is forgotten from one of them to the next.
import {
  firstSeq,
  type KeptSnapshot,
  type Snapshot,
  type SnapshotEntry,
  type SnapshotJournal,
  snapshotEntries,
  snapshotOf,
} from './snapshots.ts';
import { runtimeVersion } from './version.ts';

/** A policy as it is put in force. */
export interface Deployable {
  readonly name: string;
  readonly version: string;
  readonly horizonMs: number | undefined;
}

export interface Base {
  /** What the replay begins with; undefined: with nothing, at the first entry. */
  readonly from: Snapshot | undefined;
  /** Up to this one only the policies in `alone` take part; the others go on as they are in it. */
  readonly upTo: Snapshot | undefined;
  readonly alone: ReadonlySet<string>;
  /** The newest entry that names a snapshot, whole or not. */
  readonly newest: SnapshotEntry | undefined;
  /** Snapshots that are still there, the oldest first. */
  readonly kept: readonly KeptSnapshot[];
  /** What the operator should know of it. */
  readonly said: readonly string[];
}

interface Found {
  readonly entry: SnapshotEntry;
  readonly snapshot: Snapshot;
}

export async function baseOf(journal: SnapshotJournal, policies: readonly Deployable[]): Promise<Base> {
  const first = await firstSeq(journal);
  const { top, ...base } = await placesOf(journal, policies, first);
  return { ...base, kept: await keptAt(journal, first ?? 1, top) };
}

/** B4. `top` has been read already. Entries that are gone took theirs with them. */
async function keptAt(journal: SnapshotJournal, first: number, top: Found | undefined): Promise<readonly KeptSnapshot[]> {
  for await (const entry of snapshotEntries(journal)) {
    const snapshot = entry.seq === top?.entry.seq ? top.snapshot : await snapshotOf(journal, entry);
    if (typeof snapshot === 'string') continue;
    const { seq, through, at, digest, unsettled } = entry;
    return [...snapshot.older.filter((one) => one.seq >= first), { seq, through, at, digest, unsettled: unsettled.length > 0 }];
  }
  return [];
}

type Places = Omit<Base, 'kept'> & { readonly top: Found | undefined };

async function placesOf(journal: SnapshotJournal, policies: readonly Deployable[], first: number | undefined): Promise<Places> {
  const said: string[] = [];
  const entries = snapshotEntries(journal);
  const walk = new Walk(journal, entries, first ?? 1, said);
  const others = new Set<string>();
  const top = await walk.next(({ runtime, seq }) => {
    if (runtime === runtimeVersion) return true;
    // A month has thousands.
    if (!others.has(runtime)) said.push(`snapshots up to entry ${seq} are of Offbox ${runtime}`);
    others.add(runtime);
    return false;
  });
  const { newest } = walk;
  if (!top) return withoutTop(walk, first, said);
  const alone = policies.filter((policy) => !isFit(policy, top));
  if (alone.length === 0) return { top, from: top.snapshot, upTo: undefined, alone: new Set(), newest, said };
  const names = new Set(alone.map(({ name }) => name));
  const known = alone.filter(({ name, version }) => top.entry.policies[name] === version);
  const isFitFor = (entry: SnapshotEntry): boolean => known.every((policy) => isFitBefore(policy, entry, top));
  const isEdited = known.length < alone.length;
  const oldest = isEdited ? await walk.oldest(top, first) : undefined;
  const isLater = !isEdited || (oldest !== undefined && !isFitFor(oldest.entry));
  const base = isLater ? await walk.next(isFitFor) : undefined;
  const from = base ?? (isEdited ? oldest : await walk.oldest(top, first));
  if (from === top) {
    said.push(`nothing older is left to build ${[...names].join(', ')} from: what their pipes waited for is forgotten`);
    return { top, from: top.snapshot, upTo: undefined, alone: names, newest, said };
  }
  said.push(`${[...names].join(', ')}: replayed alone from entry ${(from?.snapshot.engine.entry.seq ?? 0) + 1} on`);
  return { top, from: from?.snapshot, upTo: top.snapshot, alone: names, newest, said };
}

/** Everything again; or, where the beginning was trimmed, from the oldest there is, though another Offbox wrote it. */
async function withoutTop(walk: Walk, first: number | undefined, said: string[]): Promise<Places> {
  const oldest = await walk.oldest(undefined, first);
  if (walk.newest) said.push('no snapshot fits: every entry there is is replayed');
  if (!oldest && first !== undefined && first > 1)
    said.push(`entries before ${first} were trimmed and no snapshot of them can be used: what they told is not known`);
  return { top: undefined, from: oldest?.snapshot, upTo: undefined, alone: new Set(), newest: walk.newest, said };
}

/** One that is not in there at all begins with its deploy entry. */
function isFit({ name, version, horizonMs }: Deployable, { entry, snapshot }: Found): boolean {
  const inForce = snapshot.engine.versions[name];
  if (inForce === undefined && entry.policies[name] === undefined) return true;
  if (entry.policies[name] !== version || inForce !== version) return false;
  const isRunning = snapshot.engine.policies.some((policy) => policy.name === name && policy.state === 'running');
  return !isRunning || (horizonMs === undefined && !entry.unsettled.includes(name));
}

function isFitBefore({ name, version, horizonMs = 0 }: Deployable, entry: SnapshotEntry, top: Found): boolean {
  const { runtime, policies, unsettled, at } = entry;
  const fits = runtime === runtimeVersion && policies[name] === version && !unsettled.includes(name);
  return fits && at <= top.snapshot.engine.entry.at - horizonMs;
}

/** Goes from the newest snapshot to older ones, past those that are not whole. */
class Walk {
  readonly #journal: SnapshotJournal;
  readonly #entries: AsyncGenerator<SnapshotEntry>;
  readonly #first: number;
  readonly #said: string[];
  newest: SnapshotEntry | undefined;
  /** What the newest whole one knows to be there; what it could not know of came before it was looked at. */
  #there: ReadonlySet<number> | undefined;

  constructor(journal: SnapshotJournal, entries: AsyncGenerator<SnapshotEntry>, first: number, said: string[]) {
    this.#journal = journal;
    this.#entries = entries;
    this.#first = first;
    this.#said = said;
  }

  async next(is: (entry: SnapshotEntry) => boolean): Promise<Found | undefined> {
    for (let entry = await this.#step(); entry; entry = await this.#step()) {
      // Thinned out on purpose: not a word is lost about it.
      if (this.#there && !this.#there.has(entry.seq)) continue;
      // Without every entry after it, it is no place to begin.
      if (entry.through < this.#first - 1 || !is(entry)) continue;
      const snapshot = await snapshotOf(this.#journal, entry);
      if (typeof snapshot !== 'string') {
        this.#there ??= new Set(snapshot.older.map(({ seq }) => seq));
        return { entry, snapshot };
      }
      this.#said.push(snapshot);
    }
    return undefined;
  }

  /** What stands for the beginning: nothing where it is there, else the oldest whole snapshot. */
  async oldest(top: Found | undefined, first: number | undefined): Promise<Found | undefined> {
    if (first === undefined || first <= 1) return undefined;
    let found = top;
    const all: SnapshotEntry[] = [];
    for await (const entry of snapshotEntries(this.#journal)) if (entry.through >= first - 1) all.push(entry);
    for (const entry of all.reverse()) {
      if (entry.seq === top?.entry.seq) break;
      const snapshot = await snapshotOf(this.#journal, entry);
      if (typeof snapshot === 'string') continue;
      found = { entry, snapshot };
      break;
    }
    return found;
  }

  async #step(): Promise<SnapshotEntry | undefined> {
    const { value, done } = await this.#entries.next();
    if (done) return undefined;
    this.newest ??= value;
    return value;
  }
}
