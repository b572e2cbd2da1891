// Owns: `show port-security` in its forms.
import type { PortFacts } from '../switch/facts.ts';
import { dottedMac } from '../switch/mac.ts';
import type { SecureRow } from '../switch/port-security.ts';
import type { SwitchContext } from './show-context.ts';
import { shortInterface } from './show-standby.ts';

const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);
/** Of a Catalyst with the default template. */
const systemLimit = 4096;

/** The first address of each port is not counted: with one address a port it is 0. */
function totals(rows: readonly SecureRow[]): readonly string[] {
  const ports = new Set(rows.map(({ port }) => port));
  return [
    `Total Addresses in System (excluding one mac per port)     : ${rows.length - ports.size}`,
    `Max Addresses limit in System (excluding one mac per port) : ${systemLimit}`,
  ];
}

export function showPortSecurity({ device }: SwitchContext): string {
  const rule = '-'.repeat(75);
  const rows = device.ports().flatMap(({ name, security }) => {
    if (!security.enabled) return [];
    return [
      [
        shortInterface(name).padStart(11),
        String(security.maximum).padStart(15),
        String(device.secureRows({ port: name }).length).padStart(13),
        String(device.security.violations(name)).padStart(19),
        capital(security.violation).padStart(17),
      ].join(''),
    ];
  });
  return [
    'Secure Port  MaxSecureAddr  CurrentAddr  SecurityViolation  Security Action',
    '                (Count)       (Count)          (Count)',
    rule,
    ...rows,
    rule,
    ...totals(device.secureRows()),
  ].join('\n');
}

function portStatus({ device }: SwitchContext, { name, security }: PortFacts): string {
  const state = device.interfaces().find((each) => each.name === name);
  if (state?.errDisabled && security.enabled) return 'Secure-shutdown';
  return security.enabled && state?.up ? 'Secure-up' : 'Secure-down';
}

export function showPortSecurityInterface(context: SwitchContext, name: string): string {
  const { device } = context;
  const port = device.ports().find((each) => each.name === name);
  if (!port) return `% Invalid interface ${name}`;
  const { security } = port;
  const rows = device.secureRows({ port: name });
  const count = (type: SecureRow['type']) => rows.filter((row) => row.type === type).length;
  const last = device.security.lastSource(name);
  return [
    `Port Security              : ${security.enabled ? 'Enabled' : 'Disabled'}`,
    `Port Status                : ${portStatus(context, port)}`,
    `Violation Mode             : ${capital(security.violation)}`,
    'Aging Time                 : 0 mins',
    'Aging Type                 : Absolute',
    'SecureStatic Address Aging : Disabled',
    `Maximum MAC Addresses      : ${security.maximum}`,
    `Total MAC Addresses        : ${rows.length}`,
    `Configured MAC Addresses   : ${count('configured')}`,
    `Sticky MAC Addresses       : ${count('sticky')}`,
    `Last Source Address:Vlan   : ${last ? `${dottedMac(last.mac)}:${last.vlan}` : '0000.0000.0000:0'}`,
    `Security Violation Count   : ${device.security.violations(name)}`,
  ].join('\n');
}

/** `port` absent: of every port. The heading of the last column takes two lines. */
export function showPortSecurityAddress({ device }: SwitchContext, port?: string): string {
  const rows = device.secureRows(port === undefined ? {} : { port });
  const rule = '-'.repeat(77);
  return [
    '               Secure Mac Address Table',
    rule,
    'Vlan    Mac Address       Type                          Ports   Remaining Age',
    `${' '.repeat(67)}(mins)    `,
    '----    -----------       ----                          -----   -------------',
    ...rows.map((row) => {
      const type = `Secure${capital(row.type)}`;
      return `${String(row.vlan).padStart(4)}    ${dottedMac(row.mac)}    ${type.padEnd(30)}${shortInterface(row.port).padEnd(10)}   -`;
    }),
    rule,
    ...(port === undefined ? totals(rows) : [`Total Addresses: ${rows.length}`]),
  ].join('\n');
}
