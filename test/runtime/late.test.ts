// What came due while Offbox was down: rings late, or is forgotten, and that is said.
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { absent, bgpNetwork, policy, type SyslogEvent, syslog } from '../../src/index.ts';
import { lateMs } from '../../src/model/limits.ts';
import { eventOf, type Rig, rig } from './rig.ts';

const silence = (late: 'fire' | 'drop'): DeployedPolicy => ({
  version: late,
  policy: policy({
    name: 'silence',
    late,
    on: syslog(),
    pipe: (events) =>
      events.pipe(
        absent(({ text }: SyslogEvent) => text === 'up', { after: ({ text }: SyslogEvent) => text === 'down', within: '30s' }),
        map(({ target }) => bgpNetwork({ target }, '10.0.0.0/8')),
      ),
  }),
});

async function downFor(ms: number, late: 'fire' | 'drop', snapshots: boolean): Promise<Rig> {
  const before = await rig({ policies: [silence(late)], snapshots });
  const syslog = { pri: 189, facility: 23, severity: 5, mnemonic: 'TEST-5-X', host: null, app: null, text: 'down' };
  before.runtime.host.sink('test').offer([{ ...eventOf('gw-a', null), syslog }]);
  await before.pass(1_000);
  before.die();
  const { wall, world, journal } = before;
  await wall.advance(ms);
  const after = await rig({ policies: [silence(late)], wall, world, journal, epoch: 2, snapshots });
  await after.pass(1_000);
  return after;
}

const wants = (on: Rig): number => on.ofKind('intent').filter(({ intent }) => intent.want.kind === 'ensure').length;

test.each([true, false])('rings late, and that is said (snapshots: %s)', async (snapshots) => {
  const after = await downFor(30_000 + lateMs, 'fire', snapshots);
  expect(wants(after)).toBe(1);
  expect(after.ofKind('late')).toMatchObject([{ policies: [{ policy: 'silence', late: 'fire', alarms: 1 }] }]);
});

test('is forgotten where the policy says so, and stays forgotten at the next start', async () => {
  const after = await downFor(30_000 + lateMs, 'drop', false);
  expect(wants(after)).toBe(0);
  expect(after.ofKind('late')).toMatchObject([{ policies: [{ policy: 'silence', late: 'drop', alarms: 1 }] }]);
  after.die();
  const { wall, world, journal } = after;
  const again = await rig({ policies: [silence('drop')], wall, world, journal, epoch: 3 });
  await again.pass(60_000);
  expect([wants(again), again.divergences]).toEqual([0, []]);
  expect(again.ofKind('late')).toEqual([]);
});

test('is not late where a restart took only as long as restarts take', async () => {
  const after = await downFor(31_000, 'drop', false);
  expect(wants(after)).toBe(1);
  expect(after.ofKind('late')).toEqual([]);
});
