// Owns: other versions of policies while it runs: what changed, a new engine warmed by the recorded past, and the moment it takes
// over. A broken file changes nothing: the old versions go on, and that is said.
//
// R1. The new engine has stepped every entry that the old one has, BEFORE it takes over; nothing in flight is lost: what is open is
//     known by its policy's name.
// R2. It takes over between two appends, and its deploy entries are the first it sees. A restart would end in the same engine.
// R3. A policy that is gone stops with an entry, in the old engine: its holds are released, its ensures are left.
//     Until that is done, the new engine has it too, stopped.
// R4. Nothing changes while a policy holds something that its new version could not let go of.
import type { CellRecords } from '../core/cells.ts';
import { Engine } from '../core/engine.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { EntryBody } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { Journal } from '../ports/journal.ts';
import { recover } from './recovery.ts';
import type { SnapshotJournal } from './snapshots.ts';
import { runtimeVersion } from './version.ts';

export interface VersionChange {
  readonly policy: string;
  /** Absent where it is new. */
  readonly from?: string;
  /** Absent where it is gone. */
  readonly to?: string;
  /** Operators whose memory is as the old version left it, and those whose the new one made anew from the recorded past, or dropped. */
  readonly kept: readonly string[];
  readonly reset: readonly string[];
}

/** By name, what differs. */
export function changesOf(
  before: readonly DeployedPolicy[],
  after: readonly DeployedPolicy[],
): readonly Omit<VersionChange, 'kept' | 'reset'>[] {
  const old = new Map(before.map(({ policy, version }) => [policy.name, version]));
  const now = new Map(after.map(({ policy, version }) => [policy.name, version]));
  const names = [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name));
  return names.map((policy) => {
    const [from, to] = [old.get(policy), now.get(policy)];
    return { policy, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  });
}

/** A version that waits until what the one before holds is let go of. */
export class StillHeld extends OperatorError {
  readonly policy: string;
  readonly places: readonly string[];

  constructor(policy: string, places: readonly string[], whichNew: string) {
    super(`${policy} holds ${places.join(', ')}, ${whichNew}`, {
      code: 'policy-holds',
      remedy: 'It is put in force when that is over; or give it another name: then the old one is removed and lets go.',
    });
    this.policy = policy;
    this.places = places;
  }
}

/** As refuseWhileHeld, of what the new versions hold once they are warmed: what they do not they would not let go of. */
export function refuseWhatIsLeft(
  changes: readonly Pick<VersionChange, 'policy' | 'to'>[],
  heldBefore: HeldBy | undefined,
  heldNow: HeldBy,
): void {
  if (!heldBefore)
    throw new OperatorError('what the policies hold cannot be found out: their thread does not answer', {
      code: 'policy-holds',
      remedy: 'Save the file again.',
    });
  for (const { policy, to } of changes) {
    const now = new Set(to === undefined ? [] : heldNow(policy));
    const left = to === undefined ? [] : heldBefore(policy).filter((place) => !now.has(place));
    if (left.length > 0) throw new StillHeld(policy, left, 'which its new version does not: it would not let go of it');
  }
}

/** `holders` have a `hold` from now on. A version without one could not let go of what the one before holds: it waits until that is over, or takes another name. */
export function refuseWhileHeld(
  changes: readonly Pick<VersionChange, 'policy' | 'to'>[],
  holders: ReadonlySet<string>,
  heldBy: HeldBy,
): void {
  for (const { policy, to } of changes) {
    const held = to === undefined || holders.has(policy) ? [] : heldBy(policy);
    if (held.length > 0) throw new StillHeld(policy, held, 'and its new version has no hold that would let go of it');
  }
}

/** Its bundle is kept BEFORE its entry names it. */
export async function deployEntry(
  { policy, version, revision, bundle }: DeployedPolicy,
  journal: Pick<Journal, 'putBlob'>,
): Promise<EntryBody> {
  const kept = bundle === undefined ? undefined : await journal.putBlob(Buffer.from(bundle));
  const from = revision === undefined ? {} : { revision };
  return {
    kind: 'deploy',
    policy: policy.name,
    version,
    ...from,
    runtime: runtimeVersion,
    ...(kept === undefined ? {} : { bundle: kept }),
  };
}

/** The places that a policy holds. */
type HeldBy = (policy: string) => readonly string[];

export const heldBy =
  (engine: Engine): HeldBy =>
  (policy) =>
    engine.heldBy(policy);

export interface Warmed {
  readonly engine: Engine;
  /** Steps it through what has come since; resolves with when its next alarm is due, where anything came. */
  catchUp(): Promise<number | undefined>;
}

/** An engine of these policies that is where the journal's tail is now. */
export async function warmed(policies: readonly DeployedPolicy[], journal: SnapshotJournal): Promise<Warmed> {
  const engine = new Engine(policies);
  let { lastSeq } = await recover({ engine, policies, journal });
  let nextDue: number | undefined;
  const catchUp = async (): Promise<number | undefined> => {
    for await (const batch of journal.read(lastSeq + 1))
      for (const entry of batch) {
        ({ nextDue } = engine.step(entry));
        lastSeq = entry.seq;
      }
    return nextDue;
  };
  return { engine, catchUp };
}

/** What each operator of a policy remembered and remembers, by path (`my-policy/0.settle`): kept where it is the same. */
export function keptOf(
  policy: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Pick<VersionChange, 'kept' | 'reset'> {
  const paths = Object.keys(before).filter((path) => path.startsWith(`${policy}/`));
  const places = (some: readonly string[]): string[] => some.map((path) => path.slice(policy.length + 1));
  const kept = paths.filter((path) => after[path] === before[path]);
  return { kept: places(kept), reset: places(paths.filter((path) => after[path] !== before[path])) };
}

/** What operators remember, as text, by path; those that remember nothing left out. */
export function cellTexts(engine: Engine): Readonly<Record<string, string>> {
  const found = Object.entries(engine.cells.snapshot()).filter(([, cells]) => cells.length > 0);
  return Object.fromEntries(found.map(([path, cells]) => [path, JSON.stringify(dataOf(cells))]));
}

/** The order in which alarms were set says nothing of what is remembered. */
const dataOf = (cells: CellRecords) => cells.map(([prefix, key, { data, dueAt }]) => [prefix, key, data, dueAt]);
