// Owns: the derivation of fhrp.changed: an HSRP or VRRP state change on a member of a declared gateway. A pure function;
// deriving changes no fact (law E9).
import type { Meaning, MeaningOf } from '../../model/meaning.ts';
import { claimOf, type Facts } from '../facts.ts';

export function deriveFhrpChanged(facts: Facts, target: string, meaning: Meaning): MeaningOf<'fhrp.changed'> | undefined {
  const claimed = claimOf(meaning);
  const member = claimed && facts.memberOf(target, claimed.protocol, claimed.claim);
  if (!member) return undefined;
  return {
    kind: 'fhrp.changed',
    gateway: member.gateway,
    member: target,
    role: claimed.role,
    ...(claimed.from ? { from: claimed.from } : {}),
  };
}
