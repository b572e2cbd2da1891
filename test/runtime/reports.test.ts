// Reports of requests: delivered in order, until they are, and again after a restart where nobody knows whether they were.
import { describe, expect, it } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { NewEntry } from '../../src/model/entry.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { Intent } from '../../src/model/intent.ts';
import { reportKeptMs } from '../../src/model/limits.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { Report, Reporter } from '../../src/ports/reporter.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { rig } from './rig.ts';

type State = Report['state'];
const start = 1_767_225_600_000;

function intentOf(n: number, state: State): Intent {
  const want = { kind: 'report', request: 'r-1', state, text: `it is ${state}`, final: state === 'done' } as const;
  return { id: `old@1/9/${n}`, policy: 'old', version: '1', cause: 9, key: 'k', want };
}

/** A journal of an Offbox that ended with these reports intended and nothing known of them. */
async function leftOpen(...states: readonly State[]) {
  const journal = memoryJournal();
  const deploy: NewEntry = { kind: 'deploy', policy: 'old', version: '1', runtime: 'test', at: start };
  const intents = states.map((state, n): NewEntry => ({ kind: 'intent', intent: intentOf(n, state), at: start }));
  await journal.append([deploy, ...intents], { epoch: 1, lastSeq: 0 });
  return journal;
}

/** Fails as told, then takes everything. */
function reporter(failures: readonly Error[] = []) {
  const left = [...failures];
  const tried: string[] = [];
  const got: Report[] = [];
  const made: Reporter = {
    name: 'test',
    async report(report) {
      tried.push(report.intent);
      const failure = left.shift();
      if (failure) throw failure;
      got.push(report);
    },
  };
  return { reporter: made, tried, got };
}

const away = (): TargetError => new TargetError('the broker is away', { code: 'away', retry: true, remedy: 'Wait.' });
const never = (): TargetError => new TargetError('not allowed', { code: 'no', retry: false, remedy: 'Allow it.' });

describe('a report left open by a restart', () => {
  it('is sent with the id of its intent, and has an outcome', async () => {
    const to = reporter();
    const { ofKind, pass } = await rig({ policies: [], journal: await leftOpen('running', 'done'), reporters: [to.reporter] });
    await pass(0);
    expect(to.got).toEqual([
      { intent: 'old@1/9/0', request: 'r-1', state: 'running', text: 'it is running', final: false },
      { intent: 'old@1/9/1', request: 'r-1', state: 'done', text: 'it is done', final: true },
    ]);
    expect(ofKind('outcome').map(({ intent, outcome }) => [intent, outcome.kind])).toEqual([
      ['old@1/9/0', 'done'],
      ['old@1/9/1', 'done'],
    ]);
  });

  it('is not sent once more after that', async () => {
    const journal = await leftOpen('done');
    const first = reporter();
    const before = await rig({ policies: [], journal, reporters: [first.reporter] });
    await before.pass(0);
    before.die();
    const second = reporter();
    const after = await rig({ policies: [], journal, reporters: [second.reporter], epoch: 2 });
    await after.pass(60_000);
    expect([first.got.length, second.got.length]).toEqual([1, 0]);
  });

  it('is sent again where Offbox died between sending and writing it down', async () => {
    const journal = await leftOpen('done');
    const first = reporter();
    let alive = true;
    const mortal: Journal = {
      ...journal,
      append: (...batch) => (alive ? journal.append(...batch) : new Promise(() => undefined)),
    };
    const report = async (sent: Report): Promise<void> => {
      await first.reporter.report(sent);
      alive = false;
    };
    const before = await rig({ policies: [], journal: mortal, reporters: [{ name: 'test', report }] });
    await before.pass(0);
    before.die();
    expect(before.ofKind('outcome')).toEqual([]);
    const second = reporter();
    const after = await rig({ policies: [], journal, reporters: [second.reporter], epoch: 2 });
    await after.pass(0);
    expect(second.got).toEqual(first.got);
  });
});

describe('a report that cannot be delivered', () => {
  it('is held, tried again, and keeps those behind it in order', async () => {
    const to = reporter([away(), away(), away()]);
    const { ofKind, pass } = await rig({ policies: [], journal: await leftOpen('running', 'done'), reporters: [to.reporter] });
    await pass(100);
    expect(to.got).toEqual([]);
    await pass(10_000);
    expect(to.tried).toEqual(['old@1/9/0', 'old@1/9/0', 'old@1/9/0', 'old@1/9/0', 'old@1/9/1']);
    expect(ofKind('outcome').map(({ outcome }) => outcome.kind)).toEqual(['held', 'done', 'done']);
    expect(ofKind('outcome')[0]?.outcome.reason).toContain('the broker is away');
  });

  it('fails at once where it will never go, and the next one goes', async () => {
    const to = reporter([never()]);
    const { ofKind, pass } = await rig({ policies: [], journal: await leftOpen('running', 'done'), reporters: [to.reporter] });
    await pass(0);
    expect(ofKind('outcome').map(({ outcome }) => outcome.kind)).toEqual(['failed', 'done']);
  });

  it('expires after a day', async () => {
    const to = reporter();
    const wall = new VirtualWall(start + reportKeptMs + 1);
    const { ofKind, pass } = await rig({ policies: [], journal: await leftOpen('done'), reporters: [to.reporter], wall });
    await pass(0);
    expect(to.tried).toEqual([]);
    expect(ofKind('outcome').map(({ outcome }) => outcome.kind)).toEqual(['expired']);
  });

  it('does not keep Offbox from stopping, and stays open', async () => {
    const journal = await leftOpen('done');
    const to = reporter(Array.from({ length: 100 }, away));
    const first = await rig({ policies: [], journal, reporters: [to.reporter] });
    await first.pass(1_000);
    await first.runtime.executor.stop();
    expect(first.runtime.engine.ledger.open().map(({ intent }) => intent.id)).toEqual(['old@1/9/0']);
  });
});

it('a report with nobody to tell is done, and says so', async () => {
  const { ofKind, pass, runtime } = await rig({ policies: [], journal: await leftOpen('done') });
  await pass(0);
  expect(ofKind('outcome')[0]?.outcome).toEqual({ kind: 'done', reason: 'nobody is told: it can be asked for' });
  expect(runtime.requests.status('r-1')?.report).toMatchObject({ state: 'done', final: true });
});
