// What the simulation is for: each of these mistakes, put into the running code from outside, makes some seed fail.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Engine } from '../../src/core/engine.ts';
import { Scope } from '../../src/core/scope.ts';
import { interfaces, policy, servicePolicy } from '../../src/index.ts';
import type { EntryBody } from '../../src/model/entry.ts';
import { Executor } from '../../src/runtime/executor.ts';
import { Host } from '../../src/runtime/host.ts';
import type * as Retention from '../../src/runtime/retention.ts';
import type { Needs } from '../../src/runtime/retention.ts';
import { Telling } from '../../src/runtime/telling.ts';
import type { SimClock } from './clock.ts';
import { deployed } from './network.ts';
import { type SimulationOptions, simulate } from './simulate.ts';

const seedsMax = 300;

/** What the journal is told not to forget, as the mutation has it. */
const forgetful = vi.hoisted(() => ({ needs: (needs: Needs): Needs => needs }));
vi.mock('../../src/runtime/retention.ts', async (original) => {
  const retention = await original<typeof Retention>();
  const forgetting: typeof Retention.forgetting = (kept, needs, ...rest) =>
    retention.forgetting(kept, forgetful.needs(needs), ...rest);
  return { ...retention, forgetting };
});

/** Snapshots are taken often, and entries go soon. */
const remembering = { snapshotEntries: 20, keepMs: 5_000 };

/** The first violation by this checker, and the seed it takes. */
async function firstFailure(checker: string, options: Omit<SimulationOptions, 'seed'> = {}): Promise<string | undefined> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { violations } = await simulate({ seed, ...options });
    const found = violations.find((violation) => violation.startsWith(`${checker}: `));
    if (found) return `seed ${seed}: ${found}`;
  }
  return undefined;
}

afterEach(() => {
  vi.restoreAllMocks();
  forgetful.needs = (needs) => needs;
});

describe('the simulation fails', { timeout: 120_000 }, () => {
  test('where nothing is probed before it is done again after a restart (E4)', async () => {
    vi.spyOn(Executor.prototype, 'resume').mockImplementation(function (this: Executor, open) {
      for (const { intent, at } of open) this.submit(intent, at);
    });
    // Not rare in these worlds, so that it is found soon: Offbox dies while a device has yet to take what was sent.
    const weather = { lateCommand: 30, crashAtCommand: 8 };
    expect(await firstFailure('nothingTwice', { weather })).toContain('had it already');
  });

  test('where the outcome is journaled before the act (E3)', async () => {
    const submit = Host.prototype.submit;
    const told = new Set<string>();
    vi.spyOn(Host.prototype, 'submit').mockImplementation(async function (this: Host, body: EntryBody) {
      if (body.kind === 'outcome' && told.has(body.intent)) return 0;
      const seq = await submit.call(this, body);
      if (body.kind === 'attempt') {
        told.add(body.intent);
        await submit.call(this, { kind: 'outcome', intent: body.intent, outcome: { kind: 'done' } });
      }
      return seq;
    });
    expect(await firstFailure('outcomesAreTrue')).toContain('never was so');
  });

  test('where what is taken is told of before it is durable (E3)', async () => {
    const { appended } = Telling.prototype;
    vi.spyOn(Telling.prototype, 'appended').mockImplementation(function (this: Telling, taken, { firstSeq }) {
      appended.call(this, taken, { firstSeq });
    });
    expect(await firstFailure('attemptBeforeWrite')).toContain('there were 0 attempts');
    expect(await firstFailure('acknowledgedIsKept')).toContain('was acknowledged');
  });

  test('where an operator reads the wall clock (E2)', async () => {
    let now = (): number => 0;
    vi.spyOn(Scope.prototype, 'now').mockImplementation(() => now());
    const onClock = (clock: SimClock): void => {
      now = () => clock.now();
    };
    expect(await firstFailure('sameIntents: a start found a divergence', { onClock })).toContain('divergence');
  });

  test('where a policy throws dice (E1)', async () => {
    const dice = policy({
      name: 'uplink-down-shapes-backup',
      on: interfaces.down(),
      until: interfaces.up(),
      key: ({ target }) => target,
      atMost: '2m',
      replace: true,
      hold: ({ target }) =>
        servicePolicy({ target, interface: 'GigabitEthernet1/0/24' }, 'output', Math.random() < 0.5 ? 'GOLD' : 'SILVER'),
    });
    expect(await firstFailure('sameIntents', { policies: deployed(dice) })).toMatch(/GOLD|SILVER/);
  });

  test('where the disk says that it has kept what it has not: a dropped fsync', async () => {
    expect(await firstFailure('acknowledgedIsKept', { dropsFsync: true })).toContain('was acknowledged and is');
  });

  test('where a snapshot is put back without the entries after it (E5)', async () => {
    const { restore, step } = Engine.prototype;
    const { begin } = Host.prototype;
    const deaf = new Set<Engine>();
    vi.spyOn(Engine.prototype, 'restore').mockImplementation(function (this: Engine, ...saved) {
      restore.apply(this, saved);
      deaf.add(this);
    });
    vi.spyOn(Engine.prototype, 'step').mockImplementation(function (this: Engine, entry) {
      return deaf.has(this) ? { intents: [], faults: [], nextDue: undefined } : step.call(this, entry);
    });
    vi.spyOn(Host.prototype, 'begin').mockImplementation(function (this: Host, ...from) {
      deaf.clear();
      return begin.apply(this, from);
    });
    expect(await firstFailure('sameIntents', { weather: remembering })).toContain('divergence');
  });

  test('where the journal forgets what is open', async () => {
    forgetful.needs = ({ since }) => ({ seqs: [], since });
    expect(await firstFailure('forgetsRightly', { weather: remembering })).toContain('was open');
  });

  test('where the journal forgets from where a hold is on', async () => {
    forgetful.needs = ({ seqs }) => ({ seqs, since: [] });
    expect(await firstFailure('forgetsRightly', { weather: remembering })).toContain('a hold had been on');
  });

  test('where no snapshot outlives its process, and entries were forgotten: the other canary', async () => {
    const weather = { ...remembering, crash: 5 };
    expect(await firstFailure('sameIntents', { rots: true, weather })).toContain('derived');
  });
});
