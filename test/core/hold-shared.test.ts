// Two policies hold one place: it goes with the last of them, whichever that is, and what stood before the first is put back.
import { describe, expect, test } from 'vitest';
import { type Policy, policy } from '../../src/core/policy.ts';
import { servicePolicy } from '../../src/core/resources.ts';
import { vm } from '../../src/core/selectors.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { OutcomeKind } from '../../src/model/outcome.ts';
import { map, port, told } from './holding.ts';
import { eventOf, inventory, Rig, replay } from './rig.ts';

/** Holds the policy-map while this VM migrates. */
const holding = (name: string, policyMap = map, replace?: true): Policy =>
  policy({
    name,
    on: vm.migrationRequested({ vm: name }),
    until: vm.migrationEnded({ vm: name }),
    atMost: '30m',
    ...(replace ? { replace } : {}),
    hold: () => servicePolicy(port('r1'), 'output', policyMap),
  });

class Pair {
  readonly rig: Rig;
  readonly policies: readonly Policy[];

  constructor(...policies: readonly Policy[]) {
    this.policies = policies;
    this.rig = new Rig(policies, { inventory });
  }

  #say(name: string, meaning: Omit<Meaning, 'vm' | 'uuid'>): readonly string[] {
    const whole = { vm: name, uuid: `uuid-${name}`, from: 'r2', to: 'r3', request: name, ...meaning } as unknown as Meaning;
    return told(this.rig.event(eventOf('r2', whole)));
  }

  begins = (name: string) => this.#say(name, { kind: 'vm.migration-requested', perform: false } as never);
  ends = (name: string) => this.#say(name, { kind: 'vm.migration-ended', how: 'cancelled' } as never);

  newest(policyName: string, nth = -1): Intent {
    return this.rig.intents.filter(({ policy: by, want }) => by === policyName && want.kind === 'ensure').at(nth)!;
  }

  attempt(name: string, before: string | null, nth?: number): readonly string[] {
    return told(
      this.rig.feed({ kind: 'attempt', intent: this.newest(name, nth).id, deadlineMs: 30_000, plan: ['x'], before }).intents,
    );
  }

  outcome(name: string, kind: OutcomeKind, nth?: number): readonly string[] {
    return told(this.rig.outcome(this.newest(name, nth), kind));
  }

  applied(name: string, before: string | null): void {
    this.attempt(name, before);
    this.outcome(name, 'done');
  }

  /** A restart, and a replay, end the same. */
  replays(): void {
    const again = replay(this.policies, this.rig.entries);
    expect(again.intents).toEqual(this.rig.intents);
    expect(again.engine.cells.snapshot()).toEqual(this.rig.engine.cells.snapshot());
  }

  get isIdle(): boolean {
    return Object.entries(this.rig.engine.cells.snapshot()).every(
      ([path, cells]) => !/\.(hold|held)$/.test(path) || cells.length === 0,
    );
  }
}

const two = () => new Pair(holding('a'), holding('b'));

describe('one place that two policies hold', () => {
  test.each([true, false])('is let go of by the last one, where the first to come goes first (restarted: %s)', (restarted) => {
    const pair = two();
    pair.begins('a');
    pair.applied('a', 'OLD');
    pair.begins('b');
    expect(pair.outcome('b', 'already')).toEqual([]);
    if (restarted) pair.rig.restart();
    expect(pair.ends('a')).toEqual([]);
    if (restarted) pair.rig.restart();
    expect(pair.ends('b')).toEqual([`r1 +OLD over ${map}`]);
    pair.outcome('b', 'done');
    expect(pair.isIdle).toBe(true);
    if (!restarted) pair.replays();
  });

  test('is let go of by the last one, where the last to come goes first', () => {
    const pair = two();
    pair.begins('a');
    pair.applied('a', null);
    pair.begins('b');
    pair.outcome('b', 'already');
    expect(pair.ends('b')).toEqual([]);
    expect(pair.ends('a')).toEqual([`r1 -${map} over ${map}`]);
    pair.outcome('a', 'done');
    expect(pair.isIdle).toBe(true);
    pair.replays();
  });

  test.each(['a', 'b'])('wanted by both at once, one for the other, is told to nobody as superseded; %s goes first', (first) => {
    const pair = two();
    const last = first === 'a' ? 'b' : 'a';
    pair.begins('a');
    pair.begins('b');
    expect(pair.outcome('a', 'superseded')).toEqual([]);
    pair.applied('b', 'OLD');
    expect(pair.ends(first)).toEqual([]);
    expect(pair.ends(last)).toEqual([`r1 +OLD over ${map}`]);
    pair.outcome(last, 'done');
    expect(pair.isIdle).toBe(true);
    pair.replays();
  });

  test('let go of by the one that is about to apply it, is the other’s with what stood before', () => {
    const pair = two();
    pair.begins('a');
    pair.begins('b');
    pair.outcome('a', 'superseded');
    // A withdrawal would take what a wants away.
    expect(pair.ends('b')).toEqual([]);
    expect(pair.attempt('b', 'OLD')).toEqual([]);
    pair.outcome('b', 'done');
    // a has not seen it there itself.
    expect(pair.ends('a')).toEqual([`r1 +OLD over ${map}|none`]);
    pair.outcome('a', 'done');
    expect(pair.isIdle).toBe(true);
    pair.replays();
  });

  test('let go of by the one that then cannot apply it, is applied for the other', () => {
    const pair = two();
    pair.begins('a');
    pair.begins('b');
    pair.outcome('a', 'superseded');
    pair.ends('b');
    expect(pair.outcome('b', 'failed')).toEqual([expect.stringContaining(`r1 +${map}`)]);
    pair.applied('a', 'OLD');
    expect(pair.ends('a')).toEqual([`r1 +OLD over ${map}`]);
    pair.replays();
  });

  test('stays the other’s when a policy is stopped', () => {
    const pair = two();
    pair.begins('a');
    pair.applied('a', 'OLD');
    pair.begins('b');
    pair.outcome('b', 'already');
    const stopped = pair.rig.feed({ kind: 'quarantine', policy: 'a', cause: 1, reason: 'removed: its file is gone' });
    expect(told(stopped.intents)).toEqual(['notice hold-policy-stopped']);
    expect(pair.ends('b')).toEqual([`r1 +OLD over ${map}`]);
    pair.replays();
  });

  test('held as something else over it, is put back to what stood before both', () => {
    const pair = new Pair(holding('a'), holding('b', 'OTHER', true));
    pair.begins('a');
    pair.applied('a', 'OLD');
    pair.begins('b');
    pair.applied('b', map);
    expect(pair.ends('a')).toEqual([]);
    expect(pair.ends('b')).toEqual(['r1 +OLD over OTHER']);
    pair.outcome('b', 'done');
    expect(pair.isIdle).toBe(true);
    pair.replays();
  });
});
