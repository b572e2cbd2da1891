// Owns: which versions of policies a start begins with. Those in the folder, and as they ran those that still hold something: behind
// the others one whose file is gone, which is stopped; in place of its new version one that was edited, until that is put in force.
import type { DeployedPolicy } from '../core/policy.ts';
import { messageOf } from '../model/errors.ts';
import type { Journal } from '../ports/journal.ts';
import type { Wall } from '../ports/wall.ts';
import { type Apart, type Running, warmedThread } from './apart/apart.ts';
import type { BundledPolicy } from './apart/messages.ts';
import { policiesLeft } from './policies-left.ts';

export interface BeginOptions {
  readonly apart: Apart;
  /** What lies in the folder. */
  readonly loaded: Running;
  readonly journal: Journal;
  readonly folder: string;
  readonly wall: Wall;
  readonly warn: (text: string) => void;
}

export interface Begun {
  readonly running: Running;
  readonly policies: readonly DeployedPolicy[];
  readonly gone: readonly DeployedPolicy[];
  /** Some of the folder's versions are not in force yet. */
  readonly waiting: boolean;
}

/** The thread of `loaded` is ended where another takes its place. */
export async function beginPolicies(options: BeginOptions): Promise<Begun> {
  const { apart, loaded, journal, folder, warn } = options;
  const present = loaded.deployed.map(({ policy, version }) => [policy.name, version] as const);
  const { gone, edited, lost } = await policiesLeft(journal, new Map(present), folder);
  for (const name of lost)
    warn(stays(`the policy ${name} ran when Offbox stopped, its file is gone, and the journal has no copy of it`));
  const holding = await stillHolding(options, [...edited.values()]);
  const begun = { running: loaded, policies: loaded.deployed, gone: [], waiting: false };
  if (gone.length + holding.size === 0) return begun;
  const bundles = loaded.bundles.map((bundle, place) => {
    const [name] = present[place]!;
    return holding.has(name) ? edited.get(name)! : bundle;
  });
  try {
    const running = await apart.load([...bundles, ...gone]);
    await loaded.thread.end();
    const { deployed } = running;
    return {
      running,
      policies: deployed.slice(0, bundles.length),
      gone: deployed.slice(bundles.length),
      waiting: holding.size > 0,
    };
  } catch (thrown) {
    const names = [...gone.map(({ file }) => file), ...holding].join(', ');
    warn(stays(`${messageOf(thrown)}\n${names}: ran when Offbox stopped`));
    return begun;
  }
}

const stays = (what: string): string =>
  `${what}, and what it holds stays as it is: put its file back, start Offbox, and take it away while Offbox runs; then it lets go.`;

/** Those that hold something at the journal's end. */
async function stillHolding(
  { apart, journal, wall, warn }: BeginOptions,
  edited: readonly BundledPolicy[],
): Promise<ReadonlySet<string>> {
  if (edited.length === 0) return new Set();
  let before: Running | undefined;
  try {
    before = await apart.load(edited);
    if (before.holders.size === 0) return new Set();
    const { held } = await warmedThread(before, (await journal.tail()).lastSeq, wall.now());
    return new Set(Object.keys(held).filter((name) => held[name]!.length > 0));
  } catch (thrown) {
    const names = edited.map(({ file }) => file).join(', ');
    warn(
      `${messageOf(thrown)}\n${names}: whether it holds what its new version does not is not known; that would stay as it is.`,
    );
    return new Set();
  } finally {
    await before?.thread.end();
  }
}
