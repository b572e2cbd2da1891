// Owns: the configuration commands that every device takes, and what configuration commands are made with.
import { interfaceName } from '../../../src/model/interface-name.ts';
import { prefixOf } from '../config-facts.ts';
import type { ConfigCommand, ConfigEffect } from './commands.ts';

export const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
export const line = (pattern: string) => new RegExp(`^${pattern}$`);

export function set(path: readonly string[], text: string, replaces?: RegExp): ConfigEffect {
  return { kind: 'change', change: { kind: 'set', path, line: text, ...(replaces ? { replaces } : {}) }, line: text };
}

export function unset(path: readonly string[], matches: RegExp, text: string): ConfigEffect {
  return { kind: 'change', change: { kind: 'unset', path, matches }, line: `no ${text}` };
}

/** A line that stands beside others like it: `TEXT` sets it, `no TEXT` takes just this one away. */
export function plain(pattern: string, make: (args: readonly string[]) => string): readonly ConfigCommand[] {
  return [
    { pattern, run: ({ path }, args) => set(path, make(args)) },
    { pattern: `no ${pattern}`, run: ({ path }, args) => unset(path, line(escaped(make(args))), make(args)) },
  ];
}

/** A line of which there is one: setting replaces it. */
export function single(pattern: string, one: RegExp, make: (args: readonly string[]) => string): readonly ConfigCommand[] {
  return [
    { pattern, run: ({ path }, args) => set(path, make(args), one) },
    { pattern: `no ${pattern}`, run: ({ path }, args) => unset(path, one, make(args)) },
  ];
}

/** Free text goes into the tree as it was typed: only a line break could harm it, and the terminal ends the line there. */
export const commonGlobalCommands: readonly ConfigCommand[] = [
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
  ...['Null0', '<address>'].flatMap((via) =>
    plain(`ip route <address> <mask> ${via.toLowerCase()}`, ([address, mask, hop]) => routeLine(address!, mask!, hop ?? 'Null0')),
  ),
];

/** Host bits are cleared, as the device does. */
function routeLine(address: string, mask: string, via: string): string {
  return `ip route ${prefixOf(address, mask).split('/')[0]} ${mask} ${via}`;
}

export const commonInterfaceCommands: readonly ConfigCommand[] = [
  ...single('description <rest>', /^description /, ([rest]) => `description ${rest}`),
  ...single('ip address <address> <mask>', /^ip address /, ([address, mask]) => `ip address ${address} ${mask}`),
  ...plain('shutdown', () => 'shutdown'),
];
