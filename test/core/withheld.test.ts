// A policy that was ended from outside is given nothing more until the entry that says so (law E7). What becomes of what it holds is
// followed all the same: the devices go on meanwhile.
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/core/engine.ts';
import type { SavedEngine } from '../../src/core/saved-engine.ts';
import { apply, qos, Stage, takeOff, told } from './holding.ts';

/** The policy does not come back from the next entry; what is returned says so. */
function hangs(stage: Stage) {
  const { rig } = stage;
  const cause = rig.entries.length + 1;
  rig.engine.withhold('qos', { from: cause, cause });
  expect(stage.ask('db1')).toEqual([]);
  const end = () => told(rig.feed({ kind: 'quarantine', policy: 'qos', reason: 'it hangs', cause, ended: 'hung' }).intents);
  return { cause, end };
}

describe('a hold of a policy that does not come back', () => {
  test('that is applied meanwhile is taken off', () => {
    const stage = new Stage();
    expect(stage.start()).toEqual([apply]);
    const { end } = hangs(stage);
    stage.applied(null);
    expect(end()).toEqual(['notice hold-policy-stopped', takeOff]);
    expect(stage.ends('done')).toEqual([]);
    expect(stage.rig.engine.heldBy('qos')).toEqual([]);
  });

  test('that was found there meanwhile is nobody’s to take off', () => {
    const stage = new Stage();
    stage.start();
    const { end } = hangs(stage);
    stage.ends('already');
    expect(end()).toEqual(['notice hold-policy-stopped']);
  });

  test('whose release fails meanwhile is let go of', () => {
    const stage = new Stage();
    stage.start();
    stage.applied(null);
    expect(stage.fail()).toEqual([takeOff]);
    const { end } = hangs(stage);
    expect(stage.ends('failed')).toEqual(['notice hold-not-released']);
    expect(end()).toEqual([]);
    expect(told(stage.pass(10_000))).toEqual([takeOff]);
  });

  test('whose release is due again meanwhile is let go of at the entry that says so, in a replay as well', () => {
    const stage = new Stage();
    stage.start();
    stage.applied(null);
    stage.fail();
    stage.ends('failed');
    const { cause, end } = hangs(stage);
    expect(stage.pass(10_000)).toEqual([]);
    expect(end()).toEqual([takeOff]);
    expect(stage.ends('done')).toEqual([]);

    const again = new Engine([{ policy: qos(), version: 'v1' }]);
    again.withhold('qos', { from: cause, cause });
    expect(stage.rig.entries.flatMap((entry) => again.step(entry).intents)).toEqual(stage.rig.intents);
  });

  test('that is put back from a snapshot taken before the entry that says so is let go of', () => {
    const stage = new Stage();
    stage.start();
    stage.applied(null);
    const { cause, end } = hangs(stage);
    const saved = JSON.parse([...stage.rig.engine.save()].join('')) as SavedEngine;
    stage.rig.engine = new Engine([{ policy: qos(), version: 'v1' }]);
    stage.rig.engine.withhold('qos', { from: cause, cause });
    stage.rig.engine.restore(saved);
    expect(stage.ask('web1')).toEqual([]);
    expect(end()).toEqual(['notice hold-policy-stopped', takeOff]);
  });
});
