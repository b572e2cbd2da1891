// Owns: the commands of a router's configuration mode, as changes to the configuration tree.
import { classfulLength, maskOf } from '../../../src/resources/bgp-network.ts';
import { type Config, childrenOf } from '../config.ts';
import { bgpOf, networkLine, prefixOf } from '../config-facts.ts';
import type { ConfigCommand, ConfigEffect, ConfigMode } from './commands.ts';
import { commonGlobalCommands, commonInterfaceCommands, escaped, line, plain, set, single, unset } from './common-config.ts';

const family = 'address-family ipv4';

const globalCommands: readonly ConfigCommand[] = [
  ...commonGlobalCommands,
  { pattern: 'router bgp <1-4294967295>', run: ({ running }, [as]) => enterBgp(running, as!) },
  { pattern: 'no router bgp <1-4294967295>', run: (_, [as]) => unset([], line(`router bgp ${as}`), `router bgp ${as}`) },
];

function enterBgp(running: Config, as: string): ConfigEffect {
  const held = bgpOf(running)?.as;
  if (held !== undefined && held !== Number(as)) return { kind: 'refuse', text: `BGP is already running; AS is ${held}` };
  return { kind: 'enter', path: [`router bgp ${as}`] };
}

const interfaceCommands: readonly ConfigCommand[] = [
  ...commonInterfaceCommands,
  ...single(
    'standby <0-255> priority <0-255>',
    /^standby \d+ priority /,
    ([group, value]) => `standby ${group} priority ${value}`,
  ),
  ...plain('standby <0-255> preempt', ([group]) => `standby ${group} preempt`),
  {
    pattern: 'standby <0-255> ip <address>',
    run: ({ path }, [group, address]) => set(path, `standby ${group} ip ${address}`, line(`standby ${group} ip .*`)),
  },
  { pattern: 'no standby <0-255>', run: ({ path }, [group]) => unset(path, line(`standby ${group} .*`), `standby ${group}`) },
  {
    pattern: 'standby <0-255> timers <1-254> <1-255>',
    run: ({ path }, [group, hello, hold]) =>
      set(path, `standby ${group} timers ${hello} ${hold}`, line(`standby ${group} timers .*`)),
  },
  {
    pattern: 'standby <0-255> timers msec <15-999> <1-255>',
    run: ({ path }, [group, hello, hold]) =>
      set(path, `standby ${group} timers msec ${hello} ${hold}`, line(`standby ${group} timers .*`)),
  },
  {
    pattern: 'standby <0-255> timers msec <15-999> msec <60-3000>',
    run: ({ path }, [group, hello, hold]) =>
      set(path, `standby ${group} timers msec ${hello} msec ${hold}`, line(`standby ${group} timers .*`)),
  },
];

const routerOf = (path: readonly string[]) => path.slice(0, 1);
const familyOf = (path: readonly string[]) => [...routerOf(path), family];

/** Whichever form was typed, IOS holds one: without a mask where the mask is the classful one. */
function network(pattern: string): readonly ConfigCommand[] {
  const written = ([address, mask]: readonly string[]) =>
    networkLine(prefixOf(address!, mask ?? maskOf(classfulLength(address!))));
  return [
    { pattern, run: ({ path }, args) => set(familyOf(path), written(args)) },
    { pattern: `no ${pattern}`, run: ({ path }, args) => unset(familyOf(path), line(escaped(written(args))), written(args)) },
  ];
}

const networkCommands = [...network('network <address>'), ...network('network <address> mask <mask>')];
const activate: readonly ConfigCommand[] = [
  {
    pattern: 'neighbor <address> activate',
    run: ({ path, running }, [address]) => {
      const known = childrenOf(running, ...routerOf(path)).some((node) => node.line.startsWith(`neighbor ${address} remote-as `));
      if (!known) return { kind: 'refuse', text: '% Specify remote-as or peer-group commands first' };
      return set(familyOf(path), `neighbor ${address} activate`);
    },
  },
  {
    pattern: 'no neighbor <address> activate',
    run: ({ path }, [address]) =>
      unset(familyOf(path), line(`neighbor ${escaped(address!)} activate`), `neighbor ${address} activate`),
  },
];

const routerCommands: readonly ConfigCommand[] = [
  ...networkCommands,
  ...activate,
  ...plain('bgp log-neighbor-changes', () => 'bgp log-neighbor-changes'),
  ...['ipv4', 'ipv4 unicast'].map(
    (name): ConfigCommand => ({
      pattern: `address-family ${name}`,
      run: ({ path }) => ({ kind: 'enter', path: familyOf(path) }),
    }),
  ),
  {
    pattern: 'neighbor <address> remote-as <1-4294967295>',
    run: ({ path }, [address, as]) =>
      set(routerOf(path), `neighbor ${address} remote-as ${as}`, line(`neighbor ${escaped(address!)} remote-as .*`)),
  },
  {
    pattern: 'no neighbor <address> remote-as <1-4294967295>',
    run: ({ path }, [address, as]) =>
      unset(routerOf(path), line(`neighbor ${escaped(address!)} .*`), `neighbor ${address} remote-as ${as}`),
  },
];

const familyCommands: readonly ConfigCommand[] = [
  ...networkCommands,
  ...activate,
  { pattern: 'exit-address-family', run: () => ({ kind: 'leave' }) },
];

/** A router's. */
export function configMode(path: readonly string[]): ConfigMode {
  if (path.length === 2) return { prompt: '(config-router-af)', tables: [familyCommands, globalCommands] };
  if (path[0]?.startsWith('router')) return { prompt: '(config-router)', tables: [routerCommands, globalCommands] };
  if (path[0]?.startsWith('interface')) return { prompt: '(config-if)', tables: [interfaceCommands, globalCommands] };
  return { prompt: '(config)', tables: [globalCommands] };
}
