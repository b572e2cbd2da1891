// Owns: `show ip route A.B.C.D` and `show ip cef A.B.C.D` of a switch: connected networks and static routes, the longest wins.
import type { Chassis } from '../chassis.ts';
import { addressNumber, maskLength, prefixOf, staticRoutesOf } from '../config-facts.ts';
import type { ShowContext } from './show-context.ts';

interface Route {
  readonly prefix: string;
  readonly known: 'connected' | 'static';
  /** An address, or Null0; of a connected network its interface. */
  readonly via: string;
  /** Where it leaves. */
  readonly interface: string;
}

const lengthOf = (prefix: string) => Number(prefix.split('/')[1]);
const covers = (prefix: string, address: string) => {
  const size = 2 ** (32 - lengthOf(prefix));
  return Math.floor(addressNumber(address) / size) === Math.floor(addressNumber(prefix.split('/')[0]!) / size);
};

/** A static route is in the table while its next hop is in a connected network. */
function routes(device: Chassis): readonly Route[] {
  const connected = device.interfaces().flatMap(({ name, address, mask, up }): Route[] => {
    if (!up || address === undefined || mask === undefined || maskLength(mask) < 0) return [];
    return [{ prefix: prefixOf(address, mask), known: 'connected', via: name, interface: name }];
  });
  const fixed = staticRoutesOf(device.running).flatMap(({ prefix, via }): Route[] => {
    const out = via === 'Null0' ? via : connected.find((each) => covers(each.prefix, via))?.interface;
    return out === undefined ? [] : [{ prefix, known: 'static', via, interface: out }];
  });
  return [...connected, ...fixed];
}

function best(device: Chassis, address: string): Route | undefined {
  const found = routes(device).filter(({ prefix }) => covers(prefix, address));
  return found.sort((one, other) => lengthOf(other.prefix) - lengthOf(one.prefix))[0];
}

export function showSwitchRoute({ device }: ShowContext, address: string): string {
  const route = best(device, address);
  if (!route) return '% Network not in table';
  const direct = route.known === 'connected' || route.via === 'Null0';
  const known = {
    connected: 'Known via "connected", distance 0, metric 0 (connected, via interface)',
    static: `Known via "static", distance 1, metric 0${direct ? ' (connected)' : ''}`,
  }[route.known];
  return [
    `Routing entry for ${route.prefix}`,
    `  ${known}`,
    '  Routing Descriptor Blocks:',
    direct ? `  * directly connected, via ${route.via}` : `  * ${route.via}`,
    '      Route metric is 0, traffic share count is 1',
  ].join('\n');
}

/** The interface that a packet leaves by, which the routing entry of a next hop does not say. */
export function showCef({ device }: ShowContext, address: string): string {
  const own = device.interfaces().find((each) => each.up && each.address === address);
  if (own) return `${address}/32\n  receive for ${own.name}`;
  const route = best(device, address);
  if (!route) return '0.0.0.0/0\n  no route';
  if (route.via === 'Null0') return `${route.prefix}\n  attached to Null0`;
  if (route.known === 'connected') return `${route.prefix}\n  attached to ${route.interface}`;
  return `${route.prefix}\n  nexthop ${route.via} ${route.interface}`;
}
