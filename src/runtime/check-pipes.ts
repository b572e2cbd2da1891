// Owns: which of RxJS's operators a policy may use: those that wait by the wall's timers never (a replay has no wall), those that
// remember in closures where a `horizon` says how far back (law E6), the others always. Only what a policy's bundle really imports
// from rxjs counts: esbuild, which bundles it anyway, tells.
import { relative, resolve } from 'node:path';
import { build, type Message, type Plugin } from 'esbuild';
import type { Policy } from '../core/policy.ts';
import type { Finding } from './check-policies.ts';
import { bundling, type LoadedPolicy } from './policies.ts';

const nothing = 'nothing of Offbox does the same';

/** They wait by the wall's timers, and what does the same in event time. */
export const timed: Readonly<Record<string, string>> = {
  ...each('auditTime sampleTime throttleTime', '`suppress`'),
  ...each('bufferTime windowTime', '`within`'),
  ...each('debounceTime delay', '`settle`'),
  ...each('interval timer timeout timeoutWith', '`absent` inside the pipe, or `resync` of an `ensure`'),
  ...each('timeInterval timestamp', "the event's own `at`"),
  ...each('animationFrames animationFrame animationFrameScheduler asap asapScheduler async asyncScheduler', 'no scheduler'),
  ...each('queue queueScheduler observeOn subscribeOn', 'no scheduler'),
  ...each('fromEvent fromEventPattern bindCallback bindNodeCallback firstValueFrom lastValueFrom', '`read` and `act`'),
};

/**
 * They remember in closures; what remembers the same in cells. Operators that give something only when their source ends (`toArray`,
 * `reduce`, `last`) are none: events do not end, and what is asked of a target is over before a snapshot is taken.
 */
export const stateful: Readonly<Record<string, string>> = {
  ...each('scan mergeScan switchScan', '`within` or `threshold`'),
  ...each('buffer bufferCount bufferToggle bufferWhen window windowCount windowToggle windowWhen', '`within`'),
  ...each('debounce delayWhen', '`settle`'),
  ...each('audit sample throttle distinct distinctUntilChanged distinctUntilKeyChanged', '`suppress`'),
  ...each('combineLatest combineLatestAll combineLatestWith combineAll zip zipAll zipWith', '`allOf` or `pair`'),
  ...each('pairwise sequenceEqual', '`sequence` or `pair`'),
  ...each('groupBy', '`perKey`'),
  ...each('withLatestFrom', '`pair`, or `read`'),
  ...each('share shareReplay publish publishBehavior publishLast publishReplay multicast refCount connect connectable', nothing),
  ...each('BehaviorSubject ReplaySubject AsyncSubject', nothing),
  ...each('take takeUntil takeWhile skip skipLast skipUntil skipWhile first elementAt find findIndex single', nothing),
  ...each('race raceWith repeat repeatWhen retry retryWhen', nothing),
  ...each('catchError onErrorResumeNext onErrorResumeNextWith', nothing),
};

function each(names: string, instead: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, instead]));
}

interface PipePolicy extends Pick<LoadedPolicy, 'file'> {
  readonly policy: Pick<Policy, 'name' | 'horizonMs'>;
}

/** What stands against a policy's use of RxJS, at the line where it is imported, or used of a namespace. */
export async function checkPipes(policies: readonly PipePolicy[]): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    policies.map(async ({ policy, file }) => {
      const found = await importedFromRxjs(file);
      return found.flatMap(({ name, ...place }) => {
        const text = objection(name, policy.horizonMs !== undefined);
        return text === undefined ? [] : [{ ...place, text: `${policy.name}: ${text}` }];
      });
    }),
  );
  return findings.flat();
}

function objection(name: string, hasHorizon: boolean): string | undefined {
  if (Object.hasOwn(timed, name)) {
    const instead = timed[name]!;
    return `RxJS's ${name} waits by the wall's clock, which a replay does not have: use ${instead}`;
  }
  if (hasHorizon || !Object.hasOwn(stateful, name)) return undefined;
  const instead = stateful[name]!;
  const says = `RxJS's ${name} remembers what no snapshot has`;
  const horizon = "declare how far back it looks, as horizon: '10m', and a start replays so much";
  return instead === nothing ? `${says}: ${horizon}` : `${says}: use ${instead}, which a restart keeps, or ${horizon}`;
}

interface Imported extends Pick<Finding, 'path' | 'line' | 'column'> {
  readonly name: string;
}

/** In this bundle rxjs exports nothing: so esbuild says of every name that is imported from it where that is done. */
const emptyRxjs: Plugin = {
  name: 'empty-rxjs',
  setup(bundle) {
    bundle.onResolve({ filter: /^rxjs(\/operators)?$/ }, () => ({ path: 'rxjs', namespace: 'empty' }));
    bundle.onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: 'export {}', loader: 'js' }));
  },
};

async function importedFromRxjs(file: string): Promise<readonly Imported[]> {
  const said: Message[] = [];
  await build({
    ...bundling(resolve(file)),
    external: ['offbox', 'offbox/*'],
    plugins: [emptyRxjs],
    logLimit: 0,
  }).then(
    ({ warnings }) => said.push(...warnings),
    (thrown: { readonly errors?: readonly Message[]; readonly warnings?: readonly Message[] }) =>
      said.push(...(thrown.errors ?? []), ...(thrown.warnings ?? [])),
  );
  return said.flatMap(({ text, location }) => {
    const name = /(?:for import|^Import) "(\w+)"/.exec(text)?.[1];
    if (name === undefined || !location) return [];
    const path = relative(process.cwd(), resolve(location.file));
    return [{ path, line: location.line, column: location.column + 1, name }];
  });
}
