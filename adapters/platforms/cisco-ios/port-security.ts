// Owns: what IOS and IOS-XE tell of port security: one port's settings, and the table of secured addresses. The count at
// the table's end leaves out the first address of every port, so it proves that the table is whole and nothing else.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { QueryRow } from '../../../src/model/query.ts';
import type { QueryReader } from '../../../src/ports/platform.ts';
import { aboutOf, linesOf, refusal, show, unreadable } from '../dialogue.ts';
import { interfaceConfig } from './interface-config.ts';
import { interfaceWord, macOf } from './words.ts';

export interface SecureRow {
  readonly vlan: number;
  /** Lower case, colons. */
  readonly mac: string;
  readonly type: 'sticky' | 'dynamic' | 'configured';
  /** Long name. */
  readonly interface: string;
}

export type PortSecurity = Pick<QueryRow<'port-security'>, 'enabled' | 'violation' | 'status'>;

export const addressCommand = 'show port-security address';
export const portCommand = (name: string): string => `show port-security interface ${name}`;
/** The configuration line that makes a port learn sticky. */
export const stickyLine = 'switchport port-security mac-address sticky';

const types: Readonly<Record<string, SecureRow['type']>> = {
  SecureSticky: 'sticky',
  SecureDynamic: 'dynamic',
  SecureConfigured: 'configured',
};

const rowStart = /^\s*\d{1,4}\s+[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b/i;
const row =
  /^\s*(?<vlan>\d{1,4})\s+(?<mac>[0-9a-f.]{14})\s+(?<type>\S+)\s+(?<port>[A-Za-z][\w./:-]*\d)(?:\s+(?:-|\d+)(?:\s+\(I\))?)?$/i;

/** Rows between the heading and the total. A row that ran over the line's end goes on in the next. */
export function secureAddresses(command: string, text: string): readonly SecureRow[] {
  const lines = linesOf(text);
  const heading = lines.findIndex((line) => /^\s*Vlan\s+Mac Address\s+Type\s+Ports\b/i.test(line));
  const total = lines.findIndex((line) => /^\s*Total Addresses in System\b.*:\s*\d+$/.test(line));
  if (heading < 0 || total < heading) throw unreadable(command, lines.at(-1) ?? '(nothing)');
  const rows: string[] = [];
  for (const line of lines.slice(heading + 1, total)) {
    if (/^[\s-]+$/.test(line) || /^\s*\(mins\)$/.test(line)) continue;
    if (rowStart.test(line)) rows.push(line.trim());
    else if (rows.length > 0) rows[rows.length - 1] += ` ${line.trim()}`;
    else throw unreadable(command, line);
  }
  return rows.map((line) => {
    const { vlan, mac, type, port } = row.exec(line)?.groups ?? {};
    const known = type !== undefined && Object.hasOwn(types, type) ? types[type] : undefined;
    const address = macOf(mac ?? '');
    if (!known || !address) throw unreadable(command, line);
    return { vlan: Number(vlan), mac: address, type: known, interface: interfaceName(port!) };
  });
}

const modes = ['shutdown', 'restrict', 'protect'] as const;

/** `Port Security : Enabled`, …; whole with the count of violations, the last line. */
export function portSecurity(command: string, text: string): PortSecurity {
  const lines = linesOf(text);
  const said = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]));
  const [security, status, mode] = ['Port Security', 'Port Status', 'Violation Mode'].map((key) => said.get(key));
  const whole = /^\d+$/.test(said.get('Security Violation Count') ?? '');
  if (!whole || !status || !mode || !(security === 'Enabled' || security === 'Disabled'))
    throw unreadable(command, lines.at(-1) ?? '(nothing)');
  const violation = modes.find((each) => each === mode.toLowerCase());
  // `Shutdown Vlan`, and `Report` of IOS-XE 17.18: a hold could not put them back, so nothing is done there at all.
  if (!violation) {
    throw refusal(
      'violation-mode',
      `the target answered "${command}" with the violation mode "${mode}", which Offbox does not handle`,
      'Use shutdown, restrict or protect on this port.',
    );
  }
  return { enabled: security === 'Enabled', status: status.toLowerCase(), violation };
}

/** Settings from `show port-security interface`; whether it learns sticky from the running-config, which alone says so. */
export const iosPortSecurity: QueryReader<'port-security'> = function* (_target, ask) {
  const name = interfaceWord(aboutOf(ask, 'interface'));
  const port = portSecurity(portCommand(name), yield* show(portCommand(name)));
  const config = yield* interfaceConfig(name);
  return [{ interface: name, ...port, sticky: config.includes(stickyLine) }];
};
