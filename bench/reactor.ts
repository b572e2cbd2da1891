// Owns: the process that reacts: Offbox with policies that do not settle.
import { inventorySchema } from '../src/model/target.ts';
import type { BundledPolicy } from '../src/runtime/apart/messages.ts';
import { bundleOf, type Composed, composed } from './compose.ts';
import { addresses, asking, neighbor, password, prefix } from './gateways.ts';
import { serve } from './process.ts';
import { Histogram, type Pauses, pausesOf } from './time-log.ts';

/** What is measured: a failover, where both gateways are read first; a message upon which one resource is wanted or not. */
const policies = {
  failover: [
    bundleOf(
      'failover.js',
      `import { bgpNetwork, exclusive, fhrp, policy } from 'offbox';
export default policy({
  name: 'hsrp-active-advertises',
  on: fhrp.changed({ gateway: 'lan', role: 'active' }),
  key: (event) => event.gateway,
  ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '${prefix}')),
});`,
    ),
  ],
  ensure: [one('wanted', ''), one('unwanted', '.absent()')],
} as const;

function one(what: keyof typeof asking, absent: string): BundledPolicy {
  return bundleOf(
    `${what}.js`,
    `import { bgpNetwork, policy, syslog } from 'offbox';
export default policy({
  name: '${what}',
  on: syslog({ mnemonic: '${asking[what]}' }),
  ensure: (event) => bgpNetwork(event, '${prefix}')${absent},
});`,
  );
}

interface Start {
  readonly reacting: keyof typeof policies;
  readonly ports: readonly number[];
  readonly hostKey: string;
}

export interface Journaling {
  readonly appends: Pauses;
  readonly syncs: Pauses;
}

let offbox: Composed | undefined;
const appends = new Histogram();
const syncs = new Histogram();
const onAppend = (ms: number): void => appends.add(ms);
const onSync = (ms: number): void => syncs.add(ms);
const idleLookMs = 2;

function isIdle(): boolean {
  const { engine, executor } = offbox!.runtime;
  return engine.ledger.open().length === 0 && executor.status().every(({ state }) => state === 'up');
}

export type ReactorCalls = typeof calls;
const calls = serve(
  {
    /** The gateways' SSH ports and host key; the UDP port it listens on. */
    async start({ reacting, ports, hostKey }: Start): Promise<number> {
      const inventory = inventorySchema.parse({
        targets: Object.fromEntries(
          addresses.map((address, index) => [
            `gw${index + 1}`,
            {
              platform: 'cisco-ios',
              address,
              cli: { port: ports[index], user: 'bench', password: { env: 'BENCH' }, hostKey },
              bgp: { as: 65002, neighbors: [neighbor] },
            },
          ]),
        ),
        gateways: {
          lan: {
            protocol: 'hsrp',
            members: addresses.map((_, index) => ({ target: `gw${index + 1}`, interface: 'Vlan10', group: 10 })),
          },
        },
      });
      offbox = await composed({ inventory, policies: policies[reacting], password, onEntry: () => undefined, onAppend, onSync });
      return offbox.ports.udp;
    },
    /** Resolves when nothing is open any more and every session is warm. */
    async idle(_: null): Promise<void> {
      while (!isIdle()) await new Promise((resolve) => setTimeout(resolve, idleLookMs));
    },
    /** Of all appends since the last call. */
    journal: (_: null): Journaling => {
      const found = { appends: pausesOf(appends), syncs: pausesOf(syncs) };
      appends.clear();
      syncs.clear();
      return found;
    },
  },
  () => offbox?.stop(),
);
