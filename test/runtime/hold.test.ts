// A hold with everything that acts for it.
import { expect, test } from 'vitest';
import { bgpNetwork, hsrp, policy } from '../../src/index.ts';
import { hsrpOf, rig } from './rig.ts';

test('what is claimed of a place that is being let go of is read before anything is written there', async () => {
  const holding = policy({
    name: 'holding',
    on: hsrp.stateChanged({ to: 'active' }),
    until: hsrp.stateChanged({ to: 'standby' }),
    atMost: '12h',
    hold: ({ target }) => bgpNetwork({ target }, '23.0.0.0/8'),
  });
  const on = await rig({ policies: [{ policy: holding, version: 'v1' }] });
  const { gateways } = on.world;
  gateways.setState('gw-a', 'active');
  await on.hear('gw-a', hsrpOf('active'));
  await on.pass(2_000);
  gateways.setState('gw-a', 'standby');
  on.world.setUnreachable('gw-a');
  await on.hear('gw-a', hsrpOf('standby'));
  await on.pass(2_000);
  gateways.device('gw-a').networks.clear();
  // Forged: gw-a reads standby.
  await on.hear('gw-a', hsrpOf('active'));
  on.world.setReachable('gw-a');
  await on.pass(120_000);
  expect(gateways.device('gw-a').writes).toEqual(['network 23.0.0.0/8']);
  expect(on.runtime.engine.heldBy('holding')).toEqual([]);
});
