// Owns: the commands of a switch's configuration mode, as changes to the configuration tree, and what the switch refuses.
import { addressLine, classMapsOf, type PortFacts, policyMapsOf, violationModes } from '../switch/facts.ts';
import { macAddress } from '../switch/mac.ts';
import type { Switch } from '../switch/switch.ts';
import type { ConfigCommand, ConfigEffect, ConfigMode, Place } from './commands.ts';
import { commonGlobalCommands, commonInterfaceCommands, escaped, line, plain, set, single, unset } from './common-config.ts';

const refuse = (text: string): ConfigEffect => ({ kind: 'refuse', text });

const globalCommands: readonly ConfigCommand[] = [
  ...commonGlobalCommands,
  ...plain('errdisable recovery cause psecure-violation', () => 'errdisable recovery cause psecure-violation'),
  ...single('errdisable recovery interval <30-86400>', /^errdisable recovery interval /, ([seconds]) => {
    return `errdisable recovery interval ${seconds}`;
  }),
  ...(['match-any', 'match-all'] as const).map(
    (how): ConfigCommand => ({
      pattern: `class-map ${how} <word>`,
      run: (_, [name]) => ({ kind: 'enter', path: [`class-map ${how} ${name}`] }),
    }),
  ),
  { pattern: 'policy-map <word>', run: (_, [name]) => ({ kind: 'enter', path: [`policy-map ${name}`] }) },
];

const classMapCommands: readonly ConfigCommand[] = plain('match dscp <dscp>', ([dscp]) => `match dscp ${dscp}`);

const policyCommands: readonly ConfigCommand[] = [
  {
    pattern: 'class <word>',
    run: ({ path, running }, [name]) => {
      if (name !== 'class-default' && !classMapsOf(running).some((each) => each.name === name))
        return refuse(`% class map ${name} not configured`);
      return { kind: 'enter', path: [...path.slice(0, 1), `class ${name}`] };
    },
  },
];

const classCommands: readonly ConfigCommand[] = [
  ...single('bandwidth percent <1-100>', /^bandwidth /, ([share]) => `bandwidth percent ${share}`),
  ...single('priority', /^priority/, () => 'priority'),
  ...single('priority level <1-2>', /^priority/, ([level]) => `priority level ${level}`),
];

const switchportCommands: readonly ConfigCommand[] = [
  { pattern: 'no switchport', run: ({ path }) => set(path, 'no switchport', /^switchport /) },
  {
    pattern: 'switchport',
    run: ({ path }) => ({ kind: 'change', change: { kind: 'unset', path, matches: /^no switchport$/ }, line: 'switchport' }),
  },
  ...single('switchport access vlan <1-4094>', /^switchport access vlan /, ([vlan]) => `switchport access vlan ${vlan}`),
  ...single('switchport trunk native vlan <1-4094>', /^switchport trunk native /, ([vlan]) => {
    return `switchport trunk native vlan ${vlan}`;
  }),
  ...single('switchport trunk allowed vlan <vlans>', /^switchport trunk allowed /, ([vlans]) => {
    return `switchport trunk allowed vlan ${vlans}`;
  }),
  ...['access', 'trunk'].flatMap((mode) =>
    single(`switchport mode ${mode}`, /^switchport mode /, () => `switchport mode ${mode}`),
  ),
];

const portOf = ({ path }: Place, device: Switch): PortFacts | undefined =>
  device.ports().find(({ name }) => path[0] === `interface ${name}`);

/** What IOS has as default has no line: setting it takes away the other. */
function withDefault(start: string, value: string, byDefault: string): (place: Place) => ConfigEffect {
  return ({ path }) => {
    const matches = new RegExp(`^${start} `);
    const written = `${start} ${value}`;
    if (value !== byDefault) return set(path, written, matches);
    return { kind: 'change', change: { kind: 'unset', path, matches }, line: written };
  };
}

function securityCommands(device: Switch): readonly ConfigCommand[] {
  const start = 'switchport port-security';
  return [
    {
      pattern: start,
      run: (place) => {
        const port = portOf(place, device);
        if (port?.mode === 'dynamic') return refuse(`Command rejected: ${port.name} is a dynamic port.`);
        return set(place.path, start);
      },
    },
    { pattern: `no ${start}`, run: ({ path }) => unset(path, line(start), start) },
    {
      pattern: `${start} maximum <1-4097>`,
      run: (place, [maximum]) => {
        const port = portOf(place, device);
        if (port && device.secureRows({ port: port.name }).length > Number(maximum))
          return refuse('Maximum is less than number of currently secured mac-addresses.');
        return withDefault(`${start} maximum`, maximum!, '1')(place);
      },
    },
    ...violationModes.map(
      (mode): ConfigCommand => ({
        pattern: `${start} violation ${mode}`,
        run: withDefault(`${start} violation`, mode, 'shutdown'),
      }),
    ),
    ...['maximum', 'violation'].map(
      (what): ConfigCommand => ({
        pattern: `no ${start} ${what}`,
        run: ({ path }) => unset(path, new RegExp(`^${start} ${what} `), `${start} ${what}`),
      }),
    ),
    ...plain(`${start} mac-address sticky`, () => `${start} mac-address sticky`),
    ...(['sticky', 'configured'] as const).flatMap((type) => addressCommands(device, type)),
  ];
}

/** `… mac-address [sticky] H.H.H [vlan N]`; on an access port the VLAN goes without saying. */
function addressCommands(device: Switch, type: 'sticky' | 'configured'): readonly ConfigCommand[] {
  const start = `switchport port-security mac-address ${type === 'sticky' ? 'sticky ' : ''}<mac>`;
  const lineOf = (port: PortFacts, [written, vlan]: readonly string[]) => {
    const untagged = port.mode === 'trunk' ? port.nativeVlan : port.accessVlan;
    return { mac: macAddress(written!)!, vlan: Number(vlan ?? untagged), type };
  };
  return [start, `${start} vlan <1-4094>`].flatMap((pattern): readonly ConfigCommand[] => [
    {
      pattern,
      run: (place, args) => {
        const port = portOf(place, device);
        return port ? addAddress(device, port, lineOf(port, args)) : refuse('% Not a switch port.');
      },
    },
    {
      pattern: `no ${pattern}`,
      run: (place, args) => {
        const port = portOf(place, device);
        if (!port) return refuse('% Not a switch port.');
        const written = addressLine(port, lineOf(port, args));
        return unset(place.path, line(escaped(written)), written);
      },
    },
  ]);
}

interface Address {
  readonly mac: string;
  readonly vlan: number;
  readonly type: 'sticky' | 'configured';
}

function addAddress(device: Switch, port: PortFacts, address: Address): ConfigEffect {
  const written = addressLine(port, address);
  const held = device.secureRows({ mac: address.mac, vlans: (vlan) => vlan === address.vlan });
  const same = held.some((row) => row.port === port.name && row.type === address.type);
  if (held.length > 0 && !same) return refuse(`Found duplicate mac-address ${written.match(/[0-9a-f.]{14}/)?.[0]}.`);
  if (!same && device.secureRows({ port: port.name }).length >= port.security.maximum)
    return refuse(`Total secure mac-addresses on interface ${port.name} has reached maximum limit.`);
  return set([`interface ${port.name}`], written);
}

function policyAttachment(device: Switch): readonly ConfigCommand[] {
  return (['input', 'output'] as const).flatMap((direction): readonly ConfigCommand[] => [
    {
      pattern: `service-policy ${direction} <word>`,
      run: (place, [name]) => {
        const attached = portOf(place, device)?.[direction];
        if (!policyMapsOf(place.running).some((each) => each.name === name)) return refuse(`% policy map ${name} not configured`);
        if (attached !== undefined && attached !== name) return refuse(`Policy map ${attached} is already attached`);
        return set(place.path, `service-policy ${direction} ${name}`);
      },
    },
    {
      pattern: `no service-policy ${direction} <word>`,
      run: ({ path }, [name]) => {
        const written = `service-policy ${direction} ${name}`;
        return unset(path, line(escaped(written)), written);
      },
    },
  ]);
}

export function switchConfigMode(device: Switch): (path: readonly string[]) => ConfigMode {
  const portCommands = [
    ...commonInterfaceCommands,
    ...switchportCommands,
    ...securityCommands(device),
    ...policyAttachment(device),
  ];
  return ([parent, inner]) => {
    if (inner !== undefined)
      return { prompt: '(config-pmap-c)', tables: [[...classCommands, ...policyCommands], globalCommands] };
    if (parent?.startsWith('policy-map')) return { prompt: '(config-pmap)', tables: [policyCommands, globalCommands] };
    if (parent?.startsWith('class-map')) return { prompt: '(config-cmap)', tables: [classMapCommands, globalCommands] };
    if (parent?.startsWith('interface Gig')) return { prompt: '(config-if)', tables: [portCommands, globalCommands] };
    if (parent?.startsWith('interface')) return { prompt: '(config-if)', tables: [commonInterfaceCommands, globalCommands] };
    return { prompt: '(config)', tables: [globalCommands] };
  };
}
