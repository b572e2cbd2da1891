// Owns: what a policy's `ensure` returns: desires. Plain data but for the function of an `exclusive`, which is called at
// once, when the desire becomes intents.
import type { Desired, Resource } from '../model/intent.ts';
import type { GatewayMember } from './facts.ts';

/** A resource that shall be there, or not. */
export interface ResourceDesire<R extends Resource = Resource> {
  readonly desire: 'resource';
  readonly resource: R;
  readonly desired: Desired;
  /** The same resource, wanted away. */
  absent(): ResourceDesire<R>;
}

/** One member, the active one, has it; the others have not. */
export interface ExclusiveDesire {
  readonly desire: 'exclusive';
  readonly gateway: string;
  readonly resourceOf: (member: GatewayMember) => ResourceDesire;
}

export type Desire = ResourceDesire | ExclusiveDesire;

export function present<R extends Resource>(resource: R): ResourceDesire<R> {
  return { desire: 'resource', resource, desired: 'present', absent: () => ({ ...present(resource), desired: 'absent' }) };
}

export function isDesire(value: unknown): value is Desire {
  return (
    typeof value === 'object' &&
    value !== null &&
    'desire' in value &&
    (value.desire === 'resource' || value.desire === 'exclusive')
  );
}

/**
 * The member that is read active has the resource, proved effective; only then is it taken from the others.
 * None active, more than one, or a reading that fails: nothing is taken away, and a notice goes out.
 */
export function exclusive(gateway: string, resourceOf: (member: GatewayMember) => ResourceDesire): ExclusiveDesire {
  return { desire: 'exclusive', gateway, resourceOf };
}

/** What the inventory must satisfy so that a resource on two members is not the same thing twice. */
export function resourceKey(resource: Resource): string {
  const { kind, target, ...rest } = resource;
  return [
    kind,
    target,
    ...Object.keys(rest)
      .sort()
      .map((field) => `${field}=${JSON.stringify(rest[field])}`),
  ].join(' ');
}
