import { describe, expect, test } from 'vitest';
import { policy } from '../../src/core/policy.ts';
import { servicePolicy } from '../../src/core/resources.ts';
import { vm } from '../../src/core/selectors.ts';
import { map, port, qos, Stage, takeOff, told } from './holding.ts';
import { gap, replay } from './rig.ts';

describe('a restart', () => {
  /** What happens, a line each, with a crash before the one of that number. */
  function played(crashAt: number): readonly (readonly string[])[] {
    const stage = new Stage(qos({ replace: true }));
    const steps: readonly (() => readonly string[])[] = [
      () => stage.ask('web1'),
      () => stage.attempt('OLD'),
      () => stage.ends('done'),
      () => stage.start('web1'),
      () => stage.ask('db1'),
      () => told(stage.rig.event(gap('sw1'))),
      () => stage.ends('already'),
      () => stage.arrive('web1'),
      () => stage.start('db1'),
      () => stage.fail('db1'),
      () => stage.ends('expired'),
      () => told(stage.pass(10_000)),
      () => stage.ends('done'),
      () => told(stage.pass(86_400_000)),
    ];
    return steps.map((step, index) => {
      if (index === crashAt) stage.rig.restart();
      return step();
    });
  }

  test('anywhere in between changes nothing: what it remembers is in its cells', () => {
    const whole = played(-1);
    expect(whole.flat()).toEqual([
      `sw1 +${map}`,
      `sw1 +${map} over none|${map}|OLD`,
      `sw1 +OLD over ${map}`,
      'notice hold-not-released',
      `sw1 +OLD over ${map}`,
    ]);
    for (let crashAt = 0; crashAt < whole.length; crashAt += 1)
      expect(played(crashAt), `with a crash before step ${crashAt}`).toEqual(whole);
  });

  test('between an application and its attempt, let go of meanwhile: it is put back', () => {
    const stage = new Stage();
    stage.start();
    expect(stage.fail()).toEqual(['sw1 withdraw']);
    stage.rig.restart();
    expect(stage.attempt(null, 'sw1', -2)).toEqual([`${takeOff}|none`]);
  });
});

describe('what was begun for one before', () => {
  test.each([false, true])('is put back by the next one, though a withdrawal had come between (restarted: %s)', (restarted) => {
    const stage = new Stage(qos({ replace: true }));
    stage.start('web1');
    const begun = stage.rig.intents.at(-1)!;
    expect(stage.fail('web1')).toEqual(['sw1 withdraw']);
    stage.ends('already');
    stage.start('db1');
    if (restarted) stage.rig.restart();
    stage.rig.feed({ kind: 'attempt', intent: begun.id, deadlineMs: 10_000, plan: [], before: 'OLD' });
    expect(stage.fail('db1')).toEqual([expect.stringContaining('sw1 +OLD')]);
  });
});

describe('a policy that is stopped', () => {
  const quarantine = { kind: 'quarantine', policy: 'qos', cause: 1, reason: 'bad code' } as const;

  test('lets go of what it holds, and says so; what becomes of that is followed to its end', () => {
    const subject = qos();
    const stage = new Stage(subject);
    stage.start();
    stage.applied(null);
    expect(told(stage.rig.feed(quarantine).intents)).toEqual(['notice hold-policy-stopped', takeOff]);
    expect(stage.ends('expired')).toEqual(['notice hold-not-released']);
    expect(told(stage.pass(10_000))).toEqual([takeOff]);
    expect(stage.ends('done')).toEqual([]);
    // It takes nothing in any more.
    expect([stage.fail(), stage.ask()]).toEqual([[], []]);
    expect(stage.rig.engine.cells.snapshot()).toEqual({ 'qos/1.hold': [], 'qos/2.held': [] });
    stage.replays(subject);
  });

  test('because it threw, lets go at the entry that stops it, in a replay as well', () => {
    const subject = qos();
    const stage = new Stage(subject);
    stage.start('web1');
    stage.applied(null);
    const before = stage.rig.intents.length;
    expect(stage.ask('bad')).toEqual([]);
    expect(stage.rig.faults).toHaveLength(1);
    expect(told(stage.rig.intents.slice(before))).toEqual(['notice hold-policy-stopped', takeOff]);
    expect(stage.rig.intents.at(-1)!.cause).toBe(stage.rig.entries.findLast(({ kind }) => kind === 'quarantine')!.seq);
    expect(stage.ends('done')).toEqual([]);
    stage.replays(subject);
    // Mended code obeys the entry.
    const mended = policy({ ...specOf(), hold: () => servicePolicy(port('sw1'), 'output', map) });
    expect(told(replay([mended], stage.rig.entries).intents)).toContain('notice hold-policy-stopped');
  });

  test('while it lets go is deployed anew: the new one goes on where that was', () => {
    const stage = new Stage();
    stage.start();
    stage.applied(null);
    stage.rig.feed(quarantine);
    stage.rig.deploy('qos');
    expect(stage.ends('expired')).toEqual(['notice hold-not-released']);
    expect(told(stage.pass(10_000))).toEqual([takeOff]);
  });

  test('with nothing held leaves nothing behind', () => {
    const stage = new Stage();
    expect(told(stage.rig.feed(quarantine).intents)).toEqual([]);
    expect(stage.rig.engine.cells.snapshot()).toEqual({});
  });
});

function specOf() {
  return {
    name: 'qos',
    on: [vm.migrationRequested(), vm.migrationStarted()],
    until: vm.migrationEnded(),
    atMost: '30m',
  } as const;
}
