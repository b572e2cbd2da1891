// Owns: what a simulated libvirtd answers to calls about networks, interfaces, storage pools and volumes of its host.
import { procedures } from '../../adapters/libvirt-rpc/protocol.ts';
import { bridgeXml, diskPath, type Net, networkXml, type Pool, poolPath, poolXml } from '../model/virt/domain-xml.ts';
import { LibvirtRefusal } from '../model/virt/refusal.ts';
import { type CallContext, type Handler, on } from './libvirt-call.ts';
import { moreProcedures } from './libvirt-procedures.ts';

/** Of each guest's disk. */
const disk = { capacity: 20 * 1024 ** 3, allocation: 6 * 1024 ** 3 } as const;
const running = 2;
const yes = { value: 1 } as const;

/** Asked for by its flags: 1 inactive, 2 active. All of ours are active. */
const wantsActive = (flags: number) => (flags & 3) !== 1;

const networks: readonly Handler[] = [
  on(procedures.listAllNetworks, ({ host }, { needResults, flags }) => {
    const found = wantsActive(flags) ? host.networks.map(named) : [];
    return { networks: needResults === 0 ? [] : found, count: found.length };
  }),
  on(moreProcedures.networkLookupByName, ({ host }, { name }) => ({ net: named(network(host.networks, { name })) })),
  on(moreProcedures.networkLookupByUuid, ({ host }, { uuid }) => ({ net: named(network(host.networks, { uuid })) })),
  on(moreProcedures.networkGetXmlDesc, ({ host }, { net }) => ({ xml: networkXml(network(host.networks, net)) })),
  on(moreProcedures.networkGetAutostart, () => yes),
  on(moreProcedures.networkIsActive, () => yes),
  on(moreProcedures.networkIsPersistent, () => yes),
  on(procedures.listAllInterfaces, ({ host }, { needResults, flags }) => {
    const found = wantsActive(flags) ? [{ name: host.bridge, mac: '02:00:00:00:00:01' }] : [];
    return { interfaces: needResults === 0 ? [] : found, count: found.length };
  }),
  on(procedures.interfaceGetXmlDesc, ({ host }, { iface }) => {
    if (iface.name === host.bridge) return { xml: bridgeXml(host.bridge) };
    throw new LibvirtRefusal('internal', `couldn't find interface named '${iface.name.slice(0, 100)}'`, 'interface');
  }),
];

const storage: readonly Handler[] = [
  on(procedures.listAllPools, ({ host }, { needResults, flags }) => {
    const found = wantsActive(flags) ? host.pools.map(named) : [];
    return { pools: needResults === 0 ? [] : found, count: found.length };
  }),
  on(moreProcedures.poolLookupByName, ({ host }, { name }) => ({ pool: named(pool(host.pools, { name })) })),
  on(moreProcedures.poolLookupByUuid, ({ host }, { uuid }) => ({ pool: named(pool(host.pools, { uuid })) })),
  on(procedures.poolGetInfo, ({ host }, { pool: { uuid } }) => {
    const { capacity, allocation } = pool(host.pools, { uuid });
    return { state: running, capacity, allocation, available: capacity - allocation };
  }),
  on(procedures.poolGetXmlDesc, ({ host }, { pool: { uuid } }) => ({ xml: poolXml(pool(host.pools, { uuid })) })),
  on(moreProcedures.poolGetAutostart, () => yes),
  on(moreProcedures.poolIsActive, () => yes),
  on(moreProcedures.poolIsPersistent, () => yes),
  on(procedures.poolLookupByVolume, ({ host }, { vol }) => ({ pool: named(pool(host.pools, { name: vol.pool })) })),
  on(procedures.volumeLookupByPath, (context, { path }) => {
    volume(context, path, 'path');
    return { vol: { pool: context.host.pools[0]!.name, name: path.slice(poolPath.length + 1), key: path } };
  }),
  on(procedures.volumeGetInfo, (context, { vol }) => {
    volume(context, vol.key, 'key');
    return { type: 0, ...disk };
  }),
  on(procedures.getBlockInfo, ({ host }, { dom, path }) => {
    const { vm } = host.domain(dom.uuid, dom.name);
    if (path !== 'vda' && path !== diskPath(vm.name))
      throw new LibvirtRefusal('invalidArgument', `invalid path ${path.slice(0, 200)} not assigned to domain`);
    return { ...disk, physical: disk.allocation };
  }),
];

export const hostCalls: readonly Handler[] = [...networks, ...storage];

function named({ name, uuid }: { readonly name: string; readonly uuid: string }) {
  return { name, uuid };
}

type Called = { readonly name: string } | { readonly uuid: string };

/** By UUID where that is said. */
function find<T extends { readonly name: string; readonly uuid: string }>(all: readonly T[], called: Called): T | undefined {
  return all.find((each) => ('uuid' in called ? each.uuid === called.uuid : each.name === called.name));
}

function words(called: Called): string {
  return 'uuid' in called ? `uuid '${called.uuid}'` : `name '${called.name.slice(0, 100)}'`;
}

function network(all: readonly Net[], called: Called): Net {
  const found = find(all, called);
  if (found) return found;
  throw new LibvirtRefusal('noNetwork', `no network with matching ${words(called)}`, 'network');
}

function pool(all: readonly Pool[], called: Called): Pool {
  const found = find(all, called);
  if (found) return found;
  throw new LibvirtRefusal('noPool', `no storage pool with matching ${words(called)}`, 'storage');
}

/** The pool is shared: it holds the disks of the guests of all hypervisors. */
function volume({ hypervisors }: CallContext, path: string, by: 'path' | 'key'): void {
  const paths = Object.values(hypervisors.hosts).flatMap((host) => host.domains().map(({ vm }) => diskPath(vm.name)));
  if (!paths.includes(path))
    throw new LibvirtRefusal('noVolume', `no storage vol with matching ${by} '${path.slice(0, 200)}'`, 'storage');
}
