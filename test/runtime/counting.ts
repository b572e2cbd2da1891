// A policy that remembers for half a day, and the messages that it counts.
import { map } from 'rxjs';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { bgpNetwork, policy, syslog, threshold } from '../../src/index.ts';
import { eventOf, type Rig } from './rig.ts';

export const counting: DeployedPolicy = {
  version: 'v1',
  policy: policy({
    name: 'counting',
    on: syslog(),
    pipe: (events) =>
      events.pipe(
        threshold(3, '12h'),
        map(({ target }) => bgpNetwork({ target }, '10.0.0.0/8')),
      ),
  }),
};

const text = (said: string) => ({
  ...eventOf('gw-a', null),
  syslog: { pri: 189, facility: 23, severity: 5, mnemonic: 'TEST-5-X', host: null, app: null, text: said },
});

export async function say(on: Rig, count = 1): Promise<void> {
  on.runtime.host.sink('test').offer(Array.from({ length: count }, () => text('x')));
  await on.pass(0);
}
