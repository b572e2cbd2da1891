// Owns: whether what is written as an address can be one, whether an access can log in, and whether two targets are told apart by theirs.
import { BlockList, isIP, isIPv6 } from 'node:net';
import { type Config, listenAddress } from '../model/config.ts';
import type { Inventory, Target } from '../model/target.ts';
import { type Finding, finding, keyFinding } from './config-findings.ts';
import type { Path } from './config-problem.ts';

/** As they stand in a sentence. */
const addressForm = 'Write it as 192.0.2.1 or 2001:db8::1.';
const hostForm = 'Write it as 192.0.2.1 or 2001:db8::1, or the name of a host.';

export function addressFindings(inventory: Inventory): readonly Finding[] {
  const { paths = [] } = inventory;
  const targets = Object.entries(inventory.targets);
  return [
    ...targets.flatMap(([name, target]) => targetFindings(['targets', name], target)),
    ...paths.flatMap(({ toward }, i) => ipFindings(['paths', i, 'toward'], toward)),
    ...paths.flatMap(({ toward }, i) => ownFindings(['paths', i, 'toward'], toward)),
    ...sharedAccesses(targets),
    ...sharedAliases(targets),
  ];
}

/** Where a source listens, if it does. */
type Listen = readonly [path: Path, written: string | undefined];

/** Of where is listened, and where requests are fetched. */
export function sourceAddressFindings({ syslog, snmp, http, nats }: Config['sources']): readonly Finding[] {
  const syslogUdp: Listen = [['syslog', 'udp'], syslog?.udp];
  const syslogTcp: Listen = [['syslog', 'tcp'], syslog?.tcp];
  const snmpUdp: Listen = [['snmp', 'udp'], snmp?.udp];
  const httpTcp: Listen = [['http', 'listen'], http?.listen];
  return [
    ...[syslogUdp, syslogTcp, snmpUdp, httpTcp].flatMap(([path, written]) =>
      written === undefined ? [] : hostFindings(['sources', ...path], listenAddress(written).host),
    ),
    ...sharedPorts('UDP', syslogUdp, snmpUdp),
    ...sharedPorts('TCP', syslogTcp, httpTcp),
    ...(nats?.servers ?? []).flatMap((server, i) => serverFindings(['sources', 'nats', 'servers', i], server)),
  ];
}

/** Two sources cannot listen in one place. Port 0 is any that is free. */
function sharedPorts(protocol: string, [first, at]: Listen, [second, other]: Listen): readonly Finding[] {
  if (!at || at !== other || listenAddress(at).port === 0) return [];
  const cause = `sources.${first.join('.')} listens on ${protocol} ${at} already`;
  return [finding(['sources', ...second], cause, 'Give one of the two another port.')];
}

function serverFindings(path: Path, server: string): readonly Finding[] {
  const { host, port } = listenAddress(server.replace(/^\w+:\/\//, ''));
  const remedy = 'A port is 1 to 65535; NATS listens on 4222 by default.';
  return [...hostFindings(path, host), ...(port >= 1 && port <= 65_535 ? [] : [finding(path, `${port} is no port`, remedy)])];
}

function targetFindings(path: Path, { address, aliases = [], bgp, cli, netconf, libvirt }: Target): readonly Finding[] {
  const logins = [
    [[...path, 'cli'], cli],
    [[...path, 'netconf'], netconf],
    [[...path, 'libvirt', 'ssh'], libvirt?.ssh],
  ] as const;
  return [
    ...hostFindings([...path, 'address'], address),
    ...ownFindings([...path, 'address'], address),
    ...aliases.flatMap((alias, i) => ipFindings([...path, 'aliases', i], alias)),
    ...aliases.flatMap((alias, i) => ownFindings([...path, 'aliases', i], alias)),
    ...(bgp?.neighbors ?? []).flatMap((neighbor, i) => numberFindings([...path, 'bgp', 'neighbors', i], neighbor, addressForm)),
    ...(bgp?.neighbors ?? []).flatMap((neighbor, i) => ownFindings([...path, 'bgp', 'neighbors', i], neighbor)),
    ...logins.flatMap(([at, access]) =>
      access && !access.key && !access.password
        ? [
            keyFinding(
              at,
              'SSH has neither "key" nor "password" to log in with',
              'Add one of them, as in key: { file: keys/offbox } or password: { env: NAME }.',
            ),
          ]
        : [],
    ),
  ];
}

/** An address, or the name of a host. */
function hostFindings(path: Path, written: string): readonly Finding[] {
  const ported = /^(?<host>[^:]+):(?<port>\d+)$/.exec(written)?.groups;
  if (ported) {
    const remedy = `Write ${ported.host} here, and port: ${ported.port} in the section of the access.`;
    return [finding(path, `"${written}" has a port in it`, remedy)];
  }
  const found = numberFindings(path, written, hostForm);
  if (found.length > 0 || isIP(written) > 0) return found;
  if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(written)) return [];
  return [finding(path, `"${written}" is neither an address nor the name of a host`, hostForm)];
}

function ipFindings(path: Path, written: string): readonly Finding[] {
  return isIP(written) > 0 ? [] : [finding(path, `"${written}" is no address`, addressForm)];
}

/** Addresses that no device has: the unspecified, multicast, and the broadcast to all (RFC 6890, 4291). */
const nobody = new BlockList();
nobody.addAddress('0.0.0.0');
nobody.addAddress('255.255.255.255');
nobody.addSubnet('224.0.0.0', 4);
nobody.addAddress('::', 'ipv6');
nobody.addSubnet('ff00::', 8, 'ipv6');

/** What is to be one device's own. */
function ownFindings(path: Path, written: string): readonly Finding[] {
  const version = isIP(written);
  if (version === 0 || !nobody.check(written, version === 6 ? 'ipv6' : 'ipv4')) return [];
  return [finding(path, `${written} is no device's own address`, 'Write the one by which this device alone is reached.')];
}

/** What can only be meant as numbers, and is no address. */
function numberFindings(path: Path, written: string, remedy: string): readonly Finding[] {
  if (isIP(written) > 0 || !(/^[\d.]+(\/\d+)?$/.test(written) || written.includes(':'))) return [];
  if (isIP(written.replace(/\/\d+$/, '')) > 0)
    return [finding(path, `"${written}" is a prefix`, 'Write the address alone, without its length.')];
  return [finding(path, `"${written}" is no ${written.includes(':') ? 'IPv6' : 'IPv4'} address`, remedy)];
}

/** As equal addresses are written alike. */
function plain(address: string): string {
  const isPlain = !isIPv6(address) || address.includes('%');
  return isPlain ? address.toLowerCase() : new URL(`http://[${address}]`).hostname;
}

const libvirtPorts = { tls: 16_514, tcp: 16_509, ssh: 22, unix: undefined } as const;

/** Where each access of a target leads to. */
function accessesOf({ cli, netconf, snmp, libvirt }: Target): readonly (readonly [key: string, end: string])[] {
  const { transport = 'unix', port, ssh, socket = '', uri = '' } = libvirt ?? {};
  const virtPort = port ?? (transport === 'ssh' ? ssh?.port : undefined) ?? libvirtPorts[transport];
  return [
    ...(cli ? [['cli', `port ${cli.port ?? 22}`] as const] : []),
    ...(netconf ? [['netconf', `port ${netconf.port ?? 830}`] as const] : []),
    ...(snmp ? [['snmp', `port ${snmp.port ?? 161}`] as const] : []),
    ...(libvirt ? [['libvirt', `${virtPort === undefined ? `socket ${socket}` : `port ${virtPort}`} ${uri}`] as const] : []),
  ];
}

/** What one is told to do the other would get. */
function sharedAccesses(targets: readonly (readonly [string, Target])[]): readonly Finding[] {
  const owners = new Map<string, string>();
  return targets.flatMap(([name, target]) =>
    accessesOf(target).flatMap(([key, end]) => {
      const place = `${key} ${plain(target.address)} ${end}`;
      const owner = owners.get(place);
      owners.set(place, owner ?? name);
      if (owner === undefined) return [];
      const cause = `"${owner}" has this address and the same ${key} ${end.split(' ').slice(0, 2).join(' ')}`;
      return [finding(['targets', name, 'address'], cause, 'Correct one of the two: a device is one target.')];
    }),
  );
}

/** An event's sender is told by its address. */
function sharedAliases(targets: readonly (readonly [string, Target])[]): readonly Finding[] {
  const owners = new Map<string, string>();
  for (const [name, { address }] of targets) owners.set(plain(address), name);
  return targets.flatMap(([name, { aliases = [] }]) =>
    aliases.flatMap((alias, i) => {
      const owner = owners.get(plain(alias));
      owners.set(plain(alias), owner ?? name);
      if (owner === undefined || owner === name) return [];
      const cause = `${alias} belongs to "${owner}" already`;
      return [finding(['targets', name, 'aliases', i], cause, 'Remove it from one of the two: events come from one target.')];
    }),
  );
}
