// Which of RxJS's operators `offbox check` lets a policy use, with the line, the operator and the remedy; and no false alarms.
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as rxjs from 'rxjs';
import * as rxjsOperators from 'rxjs/operators';
import { describe, expect, test } from 'vitest';
import { checkPipes, stateful, timed } from '../../src/runtime/check-pipes.ts';
import { lintPolicies } from '../../src/runtime/check-policies.ts';
import { loadPolicies } from '../../src/runtime/policies.ts';
import { runOffbox } from '../cli/offbox.ts';
import { policyHomes } from './policy-home.ts';

const homeOf = policyHomes();

const pipeOf = (imports: string, pipe: string, more = ''): string =>
  `import { policy, syslog } from 'offbox';
${imports}
export default policy({ name: 'tried', on: syslog(),${more} pipe: (events) => events.pipe(${pipe}) });
`;

/** What stands against them, as `file:line text`. */
async function found(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = join(homeOf(files), 'policies');
  const findings = [...(await lintPolicies(folder)), ...(await checkPipes(await loadPolicies(folder)))];
  return findings.map(({ path, line, text }) => `${relative(folder, path ?? '')}:${line} ${text}`);
}

describe('offbox check of a pipe', () => {
  test.each([
    ["import { debounceTime } from 'rxjs';", 'debounceTime(5)', /^a\.ts:2 .*RxJS's debounceTime waits.*use `settle`$/],
    ["import { delay } from 'rxjs/operators';", 'delay(5)', /^a\.ts:2 .*RxJS's delay waits.*use `settle`$/],
    ["import { map,\n  timeout as late } from 'rxjs';", 'late(5), map((e) => e)', /^a\.ts:3 .*RxJS's timeout waits.*`absent`/],
    ["import * as rx from 'rxjs';", 'rx.map((e) => e),\n  rx.throttleTime(9)', /^a\.ts:4 .*RxJS's throttleTime .*`suppress`$/],
    [
      "import { observeOn, asyncScheduler } from 'rxjs';",
      'observeOn(asyncScheduler)',
      /^a\.ts:2 .*asyncScheduler.*no scheduler\na\.ts:2 .*observeOn.*no scheduler$/,
    ],
  ])('refuses what waits by the wall, with a horizon too: %s', async (imports, pipe, expected) => {
    for (const more of ['', " horizon: '1h',"])
      expect([...(await found({ 'a.ts': pipeOf(imports, pipe, more) }))].sort().join('\n')).toMatch(expected);
  });

  test.each([
    [
      "import { scan } from 'rxjs';",
      'scan((n) => n + 1, 0)',
      /^a\.ts:2 tried: RxJS's scan remembers .*`threshold`.*horizon: '10m'/,
    ],
    ["import { distinctUntilChanged } from 'rxjs/operators';", 'distinctUntilChanged()', /^a\.ts:2 .*distinctUntilChanged/],
    ["import { bufferCount as some } from 'rxjs';", 'some(3)', /^a\.ts:2 .*RxJS's bufferCount .*`within`/],
    ["import * as rx from 'rxjs/operators';", 'rx.groupBy((e) => e)', /^a\.ts:3 .*RxJS's groupBy .*`perKey`/],
    ["import { take } from 'rxjs';", 'take(1)', /^a\.ts:2 tried: RxJS's take remembers what no snapshot has: declare/],
  ])('refuses what remembers, unless a horizon is declared: %s', async (imports, pipe, expected) => {
    expect((await found({ 'a.ts': pipeOf(imports, pipe) })).join('\n')).toMatch(expected);
    expect(await found({ 'a.ts': pipeOf(imports, pipe, " horizon: '10m',") })).toEqual([]);
  });

  test('finds it in a file that the policy imports, and names that file', async () => {
    const files = {
      'lib/counts.ts': "import { scan } from 'rxjs';\nexport const counts = scan((n: number) => n + 1, 0);\n",
      'a.ts': pipeOf("import { counts } from './lib/counts.ts';", 'counts'),
    };
    expect(await found(files)).toEqual([expect.stringMatching(/^lib\/counts\.ts:1 tried: RxJS's scan remembers/)]);
  });

  test.each([
    [
      'what remembers nothing',
      "import { filter, map, mergeMap, of } from 'rxjs';",
      'filter(() => true), map((e) => e), mergeMap((e) => of(e))',
    ],
    [
      "Offbox's own of the same name",
      "import { pair, settle, threshold } from 'offbox';",
      "settle({ quiet: '2s' }), threshold(3, '60s')",
    ],
    [
      'functions of its own',
      "import { map } from 'rxjs';\nconst delay = (n: number) => n;\nconst scan = delay;\nconst rx = { timer: scan };",
      'map((e) => [e, delay(1), scan(2), rx.timer(3)])',
    ],
    ['words in text and comments', "import { map } from 'rxjs'; // not scan(), not timer(", 'map(() => `delay(5)`)'],
    ['a type alone', "import { map, type BehaviorSubject } from 'rxjs';\nexport type X = BehaviorSubject<1>;", 'map((e) => e)'],
  ])('lets %s be', async (_what, imports, pipe) => {
    expect(await found({ 'a.ts': pipeOf(imports, pipe) })).toEqual([]);
  });

  test('is part of the verb: path, line and exit code', async () => {
    const home = homeOf({ 'a.ts': pipeOf("import { scan } from 'rxjs';", 'scan((n: number) => n + 1, 0)') });
    writeFileSync(join(home, 'inventory.yaml'), 'targets: {}\n');
    writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\n');
    const { code, out } = await runOffbox(home, ['check']);
    expect([code, out]).toEqual([1, expect.stringMatching(/^policies\/a\.ts:2:\d+: tried: RxJS's scan remembers/m)]);
  }, 60_000);
});

describe('the tables of operators', () => {
  const exported = new Set(
    Object.entries({ ...rxjsOperators, ...rxjs }).flatMap(([name, value]) => (value === undefined ? [] : [name])),
  );
  /** Looked at, and found to remember nothing from one event to the next, or nothing but what it still waits for. */
  const harmless = `concat concatAll concatMap concatMapTo concatWith count config defaultIfEmpty defer dematerialize empty
EMPTY endWith every exhaust exhaustAll exhaustMap expand filter finalize flatMap forkJoin from generate identity iif ignoreElements
isEmpty isObservable last map mapTo materialize max merge mergeAll mergeMap mergeMapTo mergeWith min never NEVER noop
Notification NotificationKind Observable of pairs partition pipe pluck range reduce scheduled Scheduler
startWith Subject Subscriber Subscription switchAll switchMap switchMapTo takeLast tap throwError throwIfEmpty toArray using
VirtualAction VirtualTimeScheduler ArgumentOutOfRangeError ConnectableObservable EmptyError NotFoundError ObjectUnsubscribedError
SequenceError TimeoutError UnsubscriptionError observable`.split(/\s+/);

  test('have every name once, spelled as RxJS does', () => {
    const names = [...Object.keys(timed), ...Object.keys(stateful), ...harmless];
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('leave out no name that RxJS exports', () => {
    const known = new Set([...Object.keys(timed), ...Object.keys(stateful), ...harmless]);
    expect([...exported].filter((name) => !known.has(name))).toEqual([]);
  });
});
