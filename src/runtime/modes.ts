// Owns: the modes: whether a policy may act on a target, or only say what it would do.
import type { Config, Mode } from '../model/config.ts';

export interface Modes {
  of(policy: string, target: string): Mode;
  /** Why nothing may be sent, with what would be; undefined where it may. */
  withheld(policy: string, target: string, plan: readonly string[]): string | undefined;
  /** From now on this policy only observes. */
  demote(policy: string, reason: string): void;
}

const rank: Readonly<Record<Mode, number>> = { observe: 0, propose: 1, enforce: 2 };

/** The most careful of what is said for the policy and for the target holds. */
export function modesFrom(config: Config['modes']): Modes {
  const demoted = new Map<string, string>();
  const of = (policy: string, target: string): Mode => {
    if (demoted.has(policy)) return 'observe';
    const said = [config.policies[policy], config.targets[target]].filter((mode) => mode !== undefined);
    return said.reduce((careful, mode) => (rank[mode] < rank[careful] ? mode : careful), said[0] ?? config.default);
  };
  return {
    of,
    withheld(policy, target, plan) {
      const mode = of(policy, target);
      if (mode === 'enforce') return undefined;
      const why = demoted.get(policy) ?? (mode === 'propose' ? 'waits for approval' : 'only observes');
      return `${mode}: ${policy} ${why}; it would send to ${target}: ${plan.join(' / ')}`;
    },
    demote: (policy, reason) => void demoted.set(policy, reason),
  };
}
