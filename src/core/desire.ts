// Owns: what a policy's `ensure` returns: desires. Plain data but for the function of an `exclusive`, which is called at
// once, when the desire becomes intents.
import type { Desired, Resource } from '../model/intent.ts';
import { type Duration, durationMs } from '../model/time.ts';
import type { GatewayMember } from './facts.ts';

/** A resource that shall be there, or not. */
export interface ResourceDesire<R extends Resource = Resource> {
  readonly desire: 'resource';
  readonly resource: R;
  readonly desired: Desired;
  /** It counts only once it has stayed so for this long; it is done again while it does not. */
  readonly staysMs?: number;
  /** … or once this is read to be there: then it cannot come back. */
  readonly unless?: Resource;
  /** The same resource, wanted away. */
  absent(how?: AbsentOptions): ResourceDesire<R>;
}

export interface AbsentOptions {
  /** Only gone once it has stayed away for this long; taken away again while it comes back. */
  readonly stays?: Duration;
  /** … or once this is seen. */
  readonly unless?: ResourceDesire | undefined;
}

/** One member, the active one, has it; the others have not. */
export interface ExclusiveDesire {
  readonly desire: 'exclusive';
  readonly gateway: string;
  readonly resourceOf: (member: GatewayMember) => ResourceDesire;
}

export type Desire = ResourceDesire | ExclusiveDesire;

export function present<R extends Resource>(resource: R): ResourceDesire<R> {
  return {
    desire: 'resource',
    resource,
    desired: 'present',
    absent: ({ stays, unless } = {}) => ({
      ...present(resource),
      desired: 'absent',
      ...(stays === undefined ? {} : { staysMs: durationMs(stays) }),
      ...(unless === undefined ? {} : { unless: unless.resource }),
    }),
  };
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
