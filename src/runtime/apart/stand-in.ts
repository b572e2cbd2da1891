// Owns: a policy as the main thread has it: its plain data, and in place of its functions one that wants nothing. Facts, what is open and
// who listens to what are the same with it; what policies remember and want is where they run.
import { Observable } from 'rxjs';
import type { DeployedPolicy, Policy } from '../../core/policy.ts';
import type { BundledPolicy, PolicyFace } from './messages.ts';

export function faceOf({ name, describe, on, late, horizonMs, hold }: Policy): PolicyFace {
  const until = (hold?.until ?? []).map(selectorData);
  const horizon = horizonMs === undefined ? {} : { horizonMs };
  return { name, describe, on: on.map(selectorData), late, until, ...horizon };
}

/** What an author put beside it may be no data. */
function selectorData({ select, name, where, matches }: Policy['on'][number]): Policy['on'][number] {
  return {
    select,
    ...(name === undefined ? {} : { name }),
    ...(where ? { where: { ...where } } : {}),
    ...(matches ? { matches } : {}),
  };
}

export function standIn({ until, ...face }: PolicyFace, { version, revision, bundle }: BundledPolicy): DeployedPolicy {
  const policy: Policy = { offbox: 'policy', ...face, on: [...face.on, ...until], pipe: () => new Observable(() => undefined) };
  return { policy, version, bundle, ...(revision === undefined ? {} : { revision }) };
}
