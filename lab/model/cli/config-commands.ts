// Owns: the commands of configuration mode, as changes to the configuration tree.
import { interfaceName } from '../../../src/model/interface-name.ts';
import { classfulLength, maskOf } from '../../../src/resources/bgp-network.ts';
import { type Config, type ConfigChange, childrenOf } from '../config.ts';
import { bgpOf, networkLine, prefixOf } from '../config-facts.ts';

export type ConfigEffect =
  /** `line`: the command in full, as the log keeps it. */
  | { readonly kind: 'change'; readonly change: ConfigChange; readonly line: string }
  /** Into a sub-mode; the parent lines are made where they are missing. */
  | { readonly kind: 'enter'; readonly path: readonly string[] }
  | { readonly kind: 'leave' }
  | { readonly kind: 'refuse'; readonly text: string };

export interface ConfigCommand {
  readonly pattern: string;
  readonly run: (place: Place, args: readonly string[]) => ConfigEffect;
}

/** Where the command is typed. */
export interface Place {
  readonly path: readonly string[];
  readonly running: Config;
}

const family = 'address-family ipv4';
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const line = (pattern: string) => new RegExp(`^${pattern}$`);

function set(path: readonly string[], text: string, replaces?: RegExp): ConfigEffect {
  return { kind: 'change', change: { kind: 'set', path, line: text, ...(replaces ? { replaces } : {}) }, line: text };
}

function unset(path: readonly string[], matches: RegExp, text: string): ConfigEffect {
  return { kind: 'change', change: { kind: 'unset', path, matches }, line: `no ${text}` };
}

/** A line that stands beside others like it: `TEXT` sets it, `no TEXT` takes just this one away. */
function plain(pattern: string, make: (args: readonly string[]) => string): readonly ConfigCommand[] {
  return [
    { pattern, run: ({ path }, args) => set(path, make(args)) },
    { pattern: `no ${pattern}`, run: ({ path }, args) => unset(path, line(escaped(make(args))), make(args)) },
  ];
}

/** A line of which there is one: setting replaces it. */
function single(pattern: string, one: RegExp, make: (args: readonly string[]) => string): readonly ConfigCommand[] {
  return [
    { pattern, run: ({ path }, args) => set(path, make(args), one) },
    { pattern: `no ${pattern}`, run: ({ path }, args) => unset(path, one, make(args)) },
  ];
}

/** Free text goes into the tree as it was typed: only a line break could harm it, and the terminal ends the line there. */
const globalCommands: readonly ConfigCommand[] = [
  { pattern: 'exit', run: () => ({ kind: 'leave' }) },
  {
    pattern: 'hostname <word>',
    run: (_, [name]) =>
      /^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(name!)
        ? set([], `hostname ${name}`, /^hostname /)
        : { kind: 'refuse', text: '% Hostname contains one or more illegal characters.' },
  },
  ...plain('service sequence-numbers', () => 'service sequence-numbers'),
  ...plain('logging <rest>', ([rest]) => `logging ${rest}`),
  ...plain('snmp-server <rest>', ([rest]) => `snmp-server ${rest}`),
  { pattern: 'interface <interface>', run: (_, [name]) => ({ kind: 'enter', path: [`interface ${interfaceName(name!)}`] }) },
  { pattern: 'router bgp <1-4294967295>', run: ({ running }, [as]) => enterBgp(running, as!) },
  { pattern: 'no router bgp <1-4294967295>', run: (_, [as]) => unset([], line(`router bgp ${as}`), `router bgp ${as}`) },
  ...['Null0', '<address>'].flatMap((via) =>
    plain(`ip route <address> <mask> ${via.toLowerCase()}`, ([address, mask, hop]) => routeLine(address!, mask!, hop ?? 'Null0')),
  ),
];

function enterBgp(running: Config, as: string): ConfigEffect {
  const held = bgpOf(running)?.as;
  if (held !== undefined && held !== Number(as)) return { kind: 'refuse', text: `BGP is already running; AS is ${held}` };
  return { kind: 'enter', path: [`router bgp ${as}`] };
}

/** Host bits are cleared, as the device does. */
function routeLine(address: string, mask: string, via: string): string {
  return `ip route ${prefixOf(address, mask).split('/')[0]} ${mask} ${via}`;
}

const interfaceCommands: readonly ConfigCommand[] = [
  ...single('description <rest>', /^description /, ([rest]) => `description ${rest}`),
  ...single('ip address <address> <mask>', /^ip address /, ([address, mask]) => `ip address ${address} ${mask}`),
  ...plain('shutdown', () => 'shutdown'),
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

export interface ConfigMode {
  /** As in the prompt: `(config-router)`. */
  readonly prompt: string;
  /** The mode's own commands, then those of global mode, which every mode takes. */
  readonly tables: readonly (readonly ConfigCommand[])[];
}

export function configMode(path: readonly string[]): ConfigMode {
  if (path.length === 2) return { prompt: '(config-router-af)', tables: [familyCommands, globalCommands] };
  if (path[0]?.startsWith('router')) return { prompt: '(config-router)', tables: [routerCommands, globalCommands] };
  if (path[0]?.startsWith('interface')) return { prompt: '(config-if)', tables: [interfaceCommands, globalCommands] };
  return { prompt: '(config)', tables: [globalCommands] };
}
