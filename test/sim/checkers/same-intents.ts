// Owns: the checker: whatever crashed, the journal holds exactly the intents that an engine derives from it which never
// crashed; and no start found otherwise (laws E1, E5).
import { Engine } from '../../../src/core/engine.ts';
import type { Intent } from '../../../src/model/intent.ts';
import type { Finished } from '../simulate.ts';

export function sameIntents({ entries, policies, nodes }: Finished): readonly string[] {
  const engine = new Engine(policies);
  const derived: string[] = [];
  const recorded: string[] = [];
  const faults: string[] = [];
  for (const entry of entries) {
    const result = engine.step(entry);
    derived.push(...result.intents.map(textOf));
    faults.push(...result.faults.map(({ policy, reason }) => `${policy} threw: ${reason}`));
    if (entry.kind === 'intent') recorded.push(textOf(entry.intent));
  }
  // A policy that was edited is brought up alone: what rings at the same time rings in another order of the policies.
  if (entries.some((entry) => entry.kind === 'deploy' && entry.version !== 'v1'))
    for (const texts of [derived, recorded]) texts.sort(byPolicy);
  const at = derived.findIndex((intent, index) => intent !== recorded[index]);
  const differs = at >= 0 || derived.length !== recorded.length;
  return [
    ...faults,
    ...nodes.divergences.map((divergence) => `a start found a divergence: ${divergence}`),
    ...(differs ? [`intent ${at}: derived ${derived[at]}, recorded ${recorded[at]}`] : []),
  ];
}

/** In their own order within each. */
function byPolicy(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => (JSON.parse(text) as Intent).policy) as [string, string];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The versions of a policy are one and the same code here. */
function textOf({ id, ...intent }: Intent): string {
  return JSON.stringify({ ...intent, id: id.replace(/@v\d+/, ''), version: '' });
}
