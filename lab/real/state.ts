// Owns: reading the routers' state as the lab's own witness, by FRR's JSON and never through Offbox.
import type { RealNetwork } from './network.ts';
import { asNumber, type MemberName, prefix, type RouterName } from './plan.ts';
import { eventually } from './process.ts';

async function json<T>(network: RealNetwork, router: RouterName, command: string): Promise<T> {
  return JSON.parse(await network.vtysh(router, command)) as T;
}

/** `Master`, `Backup` or `Initialize`, as vrrpd says. */
export async function vrrpState(network: RealNetwork, member: MemberName): Promise<string> {
  type Row = { readonly v4: { readonly status: string } };
  const rows = await json<readonly Row[]>(network, member, 'show vrrp json');
  return rows[0]?.v4.status ?? 'none';
}

export const becomes = (network: RealNetwork, member: MemberName, state: 'Master' | 'Backup' | 'Initialize') =>
  eventually(`${state} on ${member}`, async () => (await vrrpState(network, member)) === state, { withinMs: 20_000 });

/** Both of ext's sessions, or one, are established. */
export async function bgpUp(network: RealNetwork, ...neighbors: readonly string[]): Promise<void> {
  type Summary = { readonly ipv4Unicast?: { readonly peers: Readonly<Record<string, { readonly state: string }>> } };
  await eventually(
    `BGP sessions with ${neighbors.join(', ')}`,
    async () => {
      const { ipv4Unicast } = await json<Summary>(network, 'ext', 'show bgp summary json');
      return neighbors.every((neighbor) => ipv4Unicast?.peers[neighbor]?.state === 'Established');
    },
    { withinMs: 30_000 },
  );
}

/** Until the far side routes to exactly these. */
export async function routedVia(network: RealNetwork, ...hops: readonly string[]): Promise<void> {
  const wanted = [...hops].sort().join();
  await eventually(`route via ${wanted || 'nobody'}`, async () => (await network.kernelRoutes('ext')).join() === wanted, {
    withinMs: 20_000,
    everyMs: 100,
  });
}

/** As a person would, at the router: what Offbox is to do by itself. */
export async function advertise(network: RealNetwork, member: MemberName, what: 'present' | 'absent'): Promise<void> {
  const line = `network ${prefix}`;
  // FRR refuses to take away what is not there: `% Can't find static route specified`.
  const configured = (await network.vtysh(member, 'show running-config bgpd')).includes(line);
  if (configured === (what === 'present')) return;
  const change = configured ? `no ${line}` : line;
  await network.vtysh(member, 'configure terminal', `router bgp ${asNumber[member]}`, 'address-family ipv4 unicast', change);
}
