import { describe, expect, test } from 'vitest';
import { policy } from '../../src/core/policy.ts';
import { servicePolicy } from '../../src/core/resources.ts';
import { vm } from '../../src/core/selectors.ts';
import { apply, map, port, qos, Stage, takeOff, told } from './holding.ts';
import { gap } from './rig.ts';

describe('a hold', () => {
  test('is applied at the request, not again at the start, and taken off at the end', () => {
    const stage = new Stage();
    expect(stage.ask()).toEqual([apply]);
    stage.applied(null);
    expect(stage.start()).toEqual([]);
    expect(stage.arrive()).toEqual([takeOff]);
    expect(stage.ends('done')).toEqual([]);
    expect(stage.pass(86_400_000)).toEqual([]);
    stage.replays(qos());
  });

  test.each([
    ['migrated', (stage: Stage) => stage.arrive()],
    ['failed', (stage: Stage) => stage.fail()],
  ] as const)('is taken off however it ends: %s', (_, end) => {
    const stage = new Stage();
    stage.start();
    stage.applied(null);
    expect(end(stage)).toEqual([takeOff]);
  });

  test('that lingers is taken off so much later, to the millisecond', () => {
    const stage = new Stage(qos({ lingers: '10s' }));
    stage.ask();
    stage.applied(null);
    stage.start();
    expect(stage.arrive()).toEqual([]);
    expect(stage.pass(9_999)).toEqual([]);
    expect(told(stage.pass(1))).toEqual([takeOff]);
    stage.replays(qos({ lingers: '10s' }));
  });

  test('that lingers is not let go of where the next migration has begun meanwhile', () => {
    const stage = new Stage(qos({ lingers: '10s' }));
    stage.start();
    stage.applied(null);
    expect(stage.fail()).toEqual([]);
    stage.pass(5_000);
    expect(stage.start()).toEqual([]);
    expect(stage.pass(60_000)).toEqual([]);
    stage.fail();
    expect(told(stage.pass(10_000))).toEqual([takeOff]);
  });

  test('claims only what can be read: that the VM is there where it is said to leave', () => {
    const stage = new Stage();
    stage.ask();
    expect(stage.newest().want.requires).toEqual([{ query: 'domains', target: 'kvm1', uuid: 'uuid-web1', is: 'there' }]);
  });

  test('puts back what stood there', () => {
    const stage = new Stage(qos({ replace: true }));
    expect(stage.ask()).toEqual([`sw1 +${map}`]);
    stage.applied('OLD');
    stage.start();
    expect(stage.arrive()).toEqual([`sw1 +OLD over ${map}`]);
    expect(stage.ends('done')).toEqual([]);
  });

  test('found there already is nobody`s to take off', () => {
    const stage = new Stage();
    stage.ask();
    stage.ends('already');
    stage.start();
    expect(stage.arrive()).toEqual([]);
    expect(stage.rig.engine.cells.snapshot()['qos/2.held'] ?? []).toEqual([]);
  });

  test('of two migrations over one link is applied once, and taken off with the last of them', () => {
    const stage = new Stage();
    expect(stage.ask('web1')).toEqual([apply]);
    stage.applied(null);
    expect([stage.ask('db1'), stage.start('web1'), stage.start('db1'), stage.arrive('web1')]).toEqual([[], [], [], []]);
    expect(stage.fail('db1')).toEqual([takeOff]);
  });

  test('is on every port of the path, each by itself', () => {
    const stage = new Stage(qos({ ports: ['sw1', 'sw2'] }));
    expect(stage.ask()).toEqual([apply, apply.replace('sw1', 'sw2')]);
    stage.applied(null, 'sw1');
    stage.ends('already', 'sw2');
    stage.start();
    expect(stage.arrive()).toEqual([takeOff]);
  });

  test('is proved again after a gap, without its claim: it is on because it was', () => {
    const stage = new Stage();
    stage.ask();
    stage.applied(null);
    expect(told(stage.rig.event(gap('sw2')))).toEqual([]);
    expect(told(stage.rig.event(gap('sw1')))).toEqual([apply]);
    expect(stage.newest().want.requires).toEqual([]);
    stage.ends('already');
    stage.start();
    expect(stage.arrive()).toEqual([takeOff]);
  });
});

describe('where something else stands', () => {
  test('it is refused and told once; the next event asks again', () => {
    const stage = new Stage();
    stage.ask();
    expect(stage.ends('refused')).toEqual(['notice hold-refused']);
    expect(stage.pass(50_000)).toEqual([]);
    expect(stage.start()).toEqual([apply]);
    stage.ends('refused');
    expect(stage.arrive()).toEqual([]);
  });

  test('it takes its place where the policy says replace; proved again it does not take it from somebody who came since', () => {
    const stage = new Stage(qos({ replace: true }));
    expect(stage.ask()).toEqual([`sw1 +${map}`]);
    stage.applied('OLD');
    expect(told(stage.rig.event(gap()))).toEqual([`sw1 +${map} over none|${map}|OLD`]);
  });

  test('attempted anew over what somebody put there since, it is that which is put back', () => {
    const stage = new Stage(qos({ replace: true }));
    stage.start();
    stage.attempt(null);
    stage.attempt('VOICE');
    stage.attempt(map);
    stage.ends('done');
    expect(stage.fail()).toEqual([`sw1 +VOICE over ${map}`]);
  });

  test('somebody has changed it meanwhile: nothing is put back, and that is told', () => {
    const stage = new Stage(qos({ replace: true }));
    stage.ask();
    stage.applied('OLD');
    stage.start();
    stage.arrive();
    expect(stage.ends('refused')).toEqual(['notice hold-not-restored']);
    expect(stage.pass(86_400_000)).toEqual([]);
  });

  test('what we may have taken off ourselves is put back: an application that was not proved left nothing there', () => {
    const stage = new Stage(qos({ replace: true }));
    stage.ask();
    stage.attempt('OLD');
    expect(stage.ends('failed')).toEqual(['notice hold-failed']);
    stage.start();
    stage.ends('failed');
    expect(stage.arrive()).toEqual([`sw1 +OLD over ${map}|none`]);
  });

  test('another policy wants something else there: it is told, and not fought over', () => {
    const stage = new Stage();
    stage.ask();
    expect(stage.ends('superseded')).toEqual(['notice hold-superseded']);
    expect(stage.pass(50_000)).toEqual([]);
  });

  test('two values for one place: the second is not applied, and that is told', () => {
    const two = policy({
      name: 'qos',
      on: vm.migrationRequested(),
      until: vm.migrationEnded(),
      atMost: '30m',
      hold: ({ vm: name }) => servicePolicy(port('sw1'), 'output', name === 'db1' ? 'OTHER' : map),
    });
    const stage = new Stage(two);
    stage.ask('web1');
    stage.applied(null);
    expect(stage.ask('db1')).toEqual(['notice hold-conflict']);
    expect([stage.start('db1'), stage.fail('db1')]).toEqual([[], []]);
    stage.start('web1');
    expect(stage.arrive('web1')).toEqual([takeOff]);
  });
});

describe('let go of before it is applied', () => {
  test('and not begun, it is withdrawn: what stands there by itself is not touched', () => {
    const stage = new Stage();
    stage.ask();
    stage.ends('held');
    stage.start();
    expect(stage.fail()).toEqual(['sw1 withdraw']);
    stage.ends('superseded', 'sw1', -2);
    expect(stage.ends('already')).toEqual([]);
    expect(stage.pass(86_400_000)).toEqual([]);
    stage.replays(qos());
  });

  test('and begun, its attempt comes after: then it is known what to put back', () => {
    const stage = new Stage(qos({ replace: true }));
    stage.start();
    expect(stage.fail()).toEqual(['sw1 withdraw']);
    expect(stage.attempt('OLD', 'sw1', -2)).toEqual([`sw1 +OLD over ${map}|none`]);
    stage.ends('superseded', 'sw1', -2);
    stage.ends('done', 'sw1', -3);
    expect(stage.ends('done')).toEqual([]);
    expect(stage.pass(86_400_000)).toEqual([]);
  });

  test('is asked again for as long as it cannot be reached or fails, told once', () => {
    const stage = new Stage();
    stage.start();
    stage.applied(null);
    stage.fail();
    expect(stage.ends('held')).toEqual([]);
    expect(stage.ends('expired')).toEqual(['notice hold-not-released']);
    expect(told(stage.pass(9_999))).toEqual([]);
    expect(told(stage.pass(1))).toEqual([takeOff]);
    stage.attempt(map);
    expect(stage.ends('failed')).toEqual([]);
    expect(told(stage.pass(20_000))).toEqual([`${takeOff}|none`]);
    expect(stage.ends('done')).toEqual([]);
    expect(stage.pass(86_400_000)).toEqual([]);
  });
});

describe('begun again', () => {
  test('while it is being let go of, it is applied again over whatever of the two stands there', () => {
    const stage = new Stage(qos({ replace: true }));
    stage.start('web1');
    stage.applied('OLD');
    expect(stage.fail('web1')).toEqual([`sw1 +OLD over ${map}`]);
    expect(stage.ask('db1')).toEqual([`sw1 +${map} over none|${map}|OLD`]);
    // The release had begun, and is done: that was the past.
    expect(stage.ends('done', 'sw1', -2)).toEqual([]);
    stage.applied('OLD');
    stage.start('db1');
    expect(stage.fail('db1')).toEqual([`sw1 +OLD over ${map}`]);
    stage.ends('done');
    expect(stage.pass(86_400_000)).toEqual([]);
  });

  test('while it is being let go of, the claim of who begins it is read, as the first was', () => {
    const stage = new Stage();
    stage.start('web1');
    stage.applied(null);
    stage.fail('web1');
    stage.ends('held');
    expect(stage.ask('db1')).toEqual([apply]);
    expect(stage.newest().want.requires).toMatchObject([{ uuid: 'uuid-db1' }]);
  });

  test('a claim that ceased to hold behind its attempt leads to the next, and at last to letting go', () => {
    const stage = new Stage();
    stage.ask('web1');
    stage.ask('db1');
    stage.attempt(null);
    expect(stage.ends('rejected')).toEqual([apply]);
    expect(stage.newest().want.requires).toMatchObject([{ uuid: 'uuid-db1' }]);
    expect(stage.ends('rejected')).toEqual([`${takeOff}|none`]);
    stage.ends('done');
    expect(stage.start('web1')).toEqual([apply]);
    expect(stage.newest().want.requires).toMatchObject([{ uuid: 'uuid-web1' }]);
  });

  test('after a claim that did not hold, it is applied', () => {
    const stage = new Stage();
    stage.ask();
    expect(stage.ends('rejected')).toEqual([]);
    expect(stage.start()).toEqual([apply]);
  });

  test('a claim that does not hold is not the end of it for another that holds the place', () => {
    const stage = new Stage();
    stage.ask('web1');
    expect(stage.ask('db1')).toEqual([]);
    expect(stage.ends('rejected')).toEqual([apply]);
    expect(stage.newest().want.requires).toMatchObject([{ uuid: 'uuid-db1' }]);
    stage.applied(null);
    stage.start('db1');
    stage.fail('db1');
    stage.start('web1');
    expect(stage.fail('web1')).toEqual([takeOff]);
  });

  test('what fails is tried again, less and less often, and told once', () => {
    const stage = new Stage();
    stage.start();
    expect(stage.ends('failed')).toEqual(['notice hold-failed']);
    expect(told(stage.pass(10_000))).toEqual([apply]);
    expect(stage.ends('failed')).toEqual([]);
    expect(told(stage.pass(19_999))).toEqual([]);
    expect(told(stage.pass(1))).toEqual([apply]);
    stage.applied(null);
    expect(stage.fail()).toEqual([takeOff]);
  });
});

describe('when nobody says that it is over', () => {
  test('a request that does not start within 60 s is looked into, and ends when both hosts show it', () => {
    const stage = new Stage();
    stage.ask();
    stage.applied(null);
    expect(told(stage.pass(59_999))).toEqual([]);
    const reads = stage.pass(1);
    expect(told(reads)).toEqual(['read kvm1', 'read kvm2']);
    expect(stage.reads(reads)).toEqual([takeOff]);
  });

  test('a host that cannot be read is read again every minute', () => {
    const stage = new Stage();
    stage.ask();
    stage.applied(null);
    stage.pass(60_000);
    expect(told(stage.pass(60_000))).toEqual(['read kvm1', 'read kvm2']);
  });

  test('at `atMost` with the migration on the hosts are read, it is told once, and the hold goes on until they show it', () => {
    const stage = new Stage();
    stage.ask();
    stage.applied(null);
    stage.start();
    expect(told(stage.pass(29 * 60_000 + 59_999))).toEqual([]);
    const first = stage.pass(1);
    expect(told(first)).toEqual(['read kvm1', 'read kvm2', 'notice hold-overdue']);
    const on = { kvm1: 'running/booted migration-out', kvm2: 'paused/migration migration-in' };
    expect(stage.reads(first, on)).toEqual([]);
    const again = stage.pass(60_000);
    expect(told(again)).toEqual(['read kvm1', 'read kvm2']);
    expect(stage.reads(again, { kvm2: 'running/migrated' })).toEqual([takeOff]);
    stage.ends('done');
    expect(stage.pass(86_400_000)).toEqual([]);
  });

  test('at `atMost` with none on it is released, and that is told', () => {
    const never = policy({
      name: 'qos',
      on: vm.migrationStarted(),
      until: vm.migrationEnded({ how: 'cancelled' }),
      atMost: '5m',
      hold: () => servicePolicy(port('sw1'), 'output', map),
    });
    const stage = new Stage(never);
    stage.start();
    stage.applied(null);
    stage.arrive();
    expect(told(stage.pass(299_999))).toEqual([]);
    expect(told(stage.pass(1))).toEqual(['notice hold-overdue', takeOff]);
  });
});
