// Owns: what IOS-XE needs the command line for, NETCONF or not.
import type { Resource } from '../../../src/model/intent.ts';
import type { QueryKind } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { QueryReader, ResourceDriver } from '../../../src/ports/platform.ts';
import { refusal } from '../dialogue.ts';

export function requireCli(target: Target, why: string): void {
  if (target.cli) return;
  throw refusal('no-cli', `${target.address} has no cli access, and ${why}`, 'Give the target a cli section as well.');
}

/** A question that is asked as on IOS. */
export function overCli<Q extends QueryKind>(reader: QueryReader<Q>): QueryReader<Q> {
  return function* (target, ask) {
    requireCli(target, 'this is read over the command line');
    return yield* reader(target, ask);
  };
}

/** A resource that is read and changed as on IOS. */
export function drivenByCli<R extends Resource, S>(driver: ResourceDriver<R, S>): ResourceDriver<R, S> {
  return {
    ...driver,
    *read(resource, target) {
      requireCli(target, 'this is read over the command line');
      return yield* driver.read(resource, target);
    },
  };
}
