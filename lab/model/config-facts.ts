// Owns: what the lines of a configuration mean to the simulation: interfaces, HSRP groups, BGP, static routes.
import { classfulLength, maskOf } from '../../src/resources/bgp-network.ts';
import { type Config, childrenOf } from './config.ts';

export interface HsrpFacts {
  readonly interface: string;
  readonly group: number;
  readonly address: string;
  readonly virtualIp: string;
  readonly priority: number;
  readonly preempt: boolean;
  readonly helloMs: number;
  readonly holdMs: number;
}

export interface InterfaceFacts {
  readonly name: string;
  readonly address: string | undefined;
  readonly mask: string | undefined;
  readonly description: string | undefined;
  readonly shutdown: boolean;
}

export interface BgpFacts {
  readonly as: number;
  readonly neighbors: readonly { readonly address: string; readonly as: number }[];
  /** Prefixes with a network statement: `23.0.0.0/8`. */
  readonly networks: readonly string[];
}

const firstMatch = (nodes: Config, pattern: RegExp) =>
  nodes.map(({ line }) => pattern.exec(line)).find((match) => match !== null);

export function hostnameOf(config: Config): string {
  return firstMatch(config, /^hostname (\S+)/)?.[1] ?? 'Router';
}

export function interfacesOf(config: Config): readonly InterfaceFacts[] {
  return config.flatMap(({ line, children }) => {
    const name = /^interface (\S+)/.exec(line)?.[1];
    if (name === undefined) return [];
    const address = firstMatch(children, /^ip address (\S+) (\S+)/);
    const description = firstMatch(children, /^description (.+)/)?.[1];
    return [
      {
        name,
        address: address?.[1],
        mask: address?.[2],
        description,
        shutdown: children.some((child) => child.line === 'shutdown'),
      },
    ];
  });
}

/** IOS: priority 100, hello 3 s and hold 10 s where nothing is said. */
export function hsrpGroupsOf(config: Config): readonly HsrpFacts[] {
  return interfacesOf(config).flatMap(({ name, address }) => {
    const lines = childrenOf(config, `interface ${name}`);
    if (address === undefined) return [];
    return lines.flatMap(({ line }) => {
      const match = /^standby (\d+) ip (\S+)/.exec(line);
      if (!match) return [];
      const of = (rest: string) => firstMatch(lines, new RegExp(`^standby ${match[1]} ${rest}`));
      const timers = of('timers (msec )?(\\d+) (msec )?(\\d+)');
      return [
        {
          interface: name,
          group: Number(match[1]),
          address,
          virtualIp: match[2]!,
          priority: Number(of('priority (\\d+)')?.[1] ?? 100),
          preempt: of('preempt') !== undefined,
          helloMs: timers ? Number(timers[2]) * (timers[1] ? 1 : 1000) : 3000,
          holdMs: timers ? Number(timers[4]) * (timers[3] ? 1 : 1000) : 10_000,
        },
      ];
    });
  });
}

export function bgpOf(config: Config): BgpFacts | undefined {
  const as = firstMatch(config, /^router bgp (\d+)/)?.[1];
  if (as === undefined) return undefined;
  const router = childrenOf(config, `router bgp ${as}`);
  const family = childrenOf(router, 'address-family ipv4');
  const active = new Set(family.flatMap(({ line }) => /^neighbor (\S+) activate/.exec(line)?.[1] ?? []));
  return {
    as: Number(as),
    neighbors: router.flatMap(({ line }) => {
      const match = /^neighbor (\S+) remote-as (\d+)/.exec(line);
      return match && active.has(match[1]!) ? [{ address: match[1]!, as: Number(match[2]) }] : [];
    }),
    networks: family.flatMap(({ line }) => networkPrefix(line) ?? []),
  };
}

/** `network 23.0.0.0` and `network 10.1.0.0 mask 255.255.0.0` → prefix. */
function networkPrefix(line: string): string | undefined {
  const match = /^network (\S+)(?: mask (\S+))?$/.exec(line);
  if (!match) return undefined;
  return `${match[1]}/${match[2] === undefined ? classfulLength(match[1]!) : maskLength(match[2])}`;
}

/** As IOS prints it: without a mask where the mask is the classful one. */
export function networkLine(prefix: string): string {
  const [address, length] = prefix.split('/') as [string, string];
  return Number(length) === classfulLength(address) ? `network ${address}` : `network ${address} mask ${maskOf(Number(length))}`;
}

/** Prefixes with a static route that is up: to Null0 always, to a next hop as if it were reachable. */
export function staticRoutesOf(config: Config): readonly { readonly prefix: string; readonly via: string }[] {
  return config.flatMap(({ line }) => {
    const match = /^ip route (\S+) (\S+) (\S+)/.exec(line);
    return match ? [{ prefix: `${match[1]}/${maskLength(match[2]!)}`, via: match[3]! }] : [];
  });
}

export function addressNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** Of a contiguous mask; -1 for any other. */
export function maskLength(mask: string): number {
  for (let length = 0; length <= 32; length++) if (maskOf(length) === mask) return length;
  return -1;
}

/** The network an address with a mask is in: `10.0.2.2`, `255.255.255.0` → `10.0.2.0/24`. */
export function prefixOf(address: string, mask: string): string {
  const length = maskLength(mask);
  const size = 2 ** (32 - length);
  const network = Math.floor(addressNumber(address) / size) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.')}/${length}`;
}
