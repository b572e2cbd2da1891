// Owns: `show ip bgp` in its forms, and `show ip route` as far as BGP needs it.
import { classfulLength } from '../../../src/resources/bgp-network.ts';
import type { BgpPath, BgpSide } from '../bgp.ts';
import { bgpOf, maskLength, prefixOf, staticRoutesOf } from '../config-facts.ts';
import { type RouterContext, spanText } from './show-context.ts';

export const noBgp = '% BGP not active';
const notInTable = '% Network not in table';

const legend = `Status codes: s suppressed, d damped, h history, * valid, > best, i - internal,${' '}
              r RIB-failure, S Stale, m multipath, b backup-path, f RT-Filter,${' '}
              x best-external, a additional-path, c RIB-compressed,${' '}
Origin codes: i - IGP, e - EGP, ? - incomplete
RPKI validation codes: V valid, I invalid, N Not found

     Network          Next Hop            Metric LocPrf Weight Path`;

/** IOS leaves the length out where it is the classful one: `23.0.0.0` is 23.0.0.0/8. */
function shownPrefix(prefix: string): string {
  const [address, length] = prefix.split('/') as [string, string];
  return Number(length) === classfulLength(address) ? address : prefix;
}

function row(path: BgpPath, place: { readonly best: 'best' | 'other'; readonly first: 'first' | 'further' }): string {
  const network = place.first === 'first' ? shownPrefix(path.prefix) : '';
  const marks = place.best === 'best' ? ' *>  ' : ' *   ';
  const own = path.from === undefined;
  const metric = own || path.asPath.length === 1 ? '0' : '';
  const weight = own ? '32768' : '0';
  const as = [...path.asPath, 'i'].join(' ');
  return `${marks}${network.padEnd(16)} ${path.nextHop.padEnd(15)} ${metric.padStart(10)} ${''.padStart(6)} ${weight.padStart(6)} ${as}`;
}

function rows(table: ReadonlyMap<string, readonly BgpPath[]>): string[] {
  return [...table.values()].flatMap((paths) =>
    paths.map((path, i) => row(path, { best: i === 0 ? 'best' : 'other', first: i === 0 ? 'first' : 'further' })),
  );
}

const routerId = ({ device }: RouterContext) =>
  device.interfaces().find(({ name, address }) => address && name.startsWith('Loopback'))?.address ??
  device.interfaces().find(({ address }) => address)?.address ??
  '0.0.0.0';

const version = (context: RouterContext) => 1 + [...context.bgp.table(context.device).values()].flat().length;
const heading = (context: RouterContext) =>
  `BGP table version is ${version(context)}, local router ID is ${routerId(context)}\n${legend}`;

export function showBgp(context: RouterContext): string {
  const table = context.bgp.table(context.device);
  return table.size === 0 ? '' : [heading(context), ...rows(table)].join('\n');
}

/** `mask` undefined: the classful one. */
export function showBgpPrefix(context: RouterContext, address: string, mask: string | undefined): string {
  const { device, bgp } = context;
  const prefix = mask === undefined ? `${address}/${classfulLength(address)}` : prefixOf(address, mask);
  const paths = bgp.table(device).get(prefix);
  if (!paths || maskLength(mask ?? '0.0.0.0') < 0) return notInTable;
  const told = bgp.sides(device).some((side) => bgp.advertised(device, side.neighbor).some((path) => path.prefix === prefix));
  return [
    `BGP routing table entry for ${prefix}, version ${version(context)}`,
    `Paths: (${paths.length} available, best #1, table default)`,
    ...(told ? ['  Advertised to update-groups:', `     1${' '.repeat(9)}`] : ['  Not advertised to any peer']),
    ...paths.flatMap((path, i) => pathBlock(context, path, i === 0 ? ', best' : '')),
  ].join('\n');
}

function pathBlock(context: RouterContext, path: BgpPath, best: string): string[] {
  const own = path.from === undefined;
  const quality = own ? `weight 32768, valid, sourced, local${best}` : `valid, external${best}`;
  return [
    '  Refresh Epoch 1',
    `  ${own ? 'Local' : path.asPath.join(' ')}`,
    `    ${path.nextHop} from ${path.from ?? '0.0.0.0'} (${own ? routerId(context) : path.from})`,
    `      Origin IGP, metric 0, localpref 100, ${quality}`,
    '      rx pathid: 0, tx pathid: 0x0',
  ];
}

/** To a neighbour that is not Established nothing was sent: the same trailer with 0 [weak: no capture of it was found]. */
export function showAdvertised(context: RouterContext, neighbor: string): string {
  const { device, bgp } = context;
  const side = sideOf(context, neighbor);
  if (!side) return '% No such neighbor or address family';
  const sent = new Set(bgp.advertised(device, neighbor).map(({ prefix }) => prefix));
  const best = [...bgp.table(device)].flatMap(([prefix, [path]]) => (path && sent.has(prefix) ? [path] : []));
  const total = `\nTotal number of prefixes ${best.length} `;
  return [
    ...(best.length > 0 ? [heading(context)] : []),
    ...best.map((path) => row(path, { best: 'best', first: 'first' })),
    total,
  ].join('\n');
}

const sideOf = ({ device, bgp }: RouterContext, neighbor: string): BgpSide | undefined =>
  bgpOf(device.running)?.neighbors.some(({ address }) => address === neighbor)
    ? bgp.sides(device).find((side) => side.neighbor === neighbor)
    : undefined;

export function showBgpSummary(context: RouterContext): string {
  const { device, wall } = context;
  const facts = bgpOf(device.running);
  if (!facts) return noBgp;
  const table = version(context);
  const rowOf = ({ address, as }: { readonly address: string; readonly as: number }) => {
    const side = sideOf(context, address);
    const up = side?.establishedAt;
    const state = up === undefined ? 'Idle' : String(side?.received.size ?? 0);
    const since = up === undefined ? 'never' : spanText(wall.monotonic() - up);
    return `${address.padEnd(15)} 4 ${String(as).padStart(12)} ${'0'.padStart(7)} ${'0'.padStart(7)} ${String(table).padStart(8)}    0    0 ${since.padEnd(8)} ${state.padStart(8)}`;
  };
  return [
    `BGP router identifier ${routerId(context)}, local AS number ${facts.as}`,
    `BGP table version is ${table}, main routing table version ${table}`,
    '',
    'Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd',
    ...facts.neighbors.map(rowOf),
  ].join('\n');
}

/** `show ip route A`, where BGP, a static route or a connected network of classful or any length begins with it. */
export function showRoute(context: RouterContext, address: string): string {
  const { device, bgp, wall } = context;
  const found = [...bgp.table(device)].find(([prefix]) => prefix.startsWith(`${address}/`));
  const best = found?.[1][0];
  const fixed = staticRoutesOf(device.running).find(({ prefix }) => prefix.startsWith(`${address}/`));
  if (fixed) {
    return `Routing entry for ${fixed.prefix}\n  Known via "static", distance 1, metric 0 (connected)\n  Routing Descriptor Blocks:\n  * directly connected, via ${fixed.via}\n      Route metric is 0, traffic share count is 1`;
  }
  if (!best || best.from === undefined) return notInTable;
  const age = spanText(wall.monotonic() - best.since);
  return [
    `Routing entry for ${best.prefix}`,
    `  Known via "bgp ${bgpOf(device.running)?.as}", distance 20, metric 0`,
    `  Tag ${best.asPath[0]}, type external`,
    `  Last update from ${best.nextHop} ${age} ago`,
    '  Routing Descriptor Blocks:',
    `  * ${best.nextHop}, from ${best.from}, ${age} ago`,
    '      Route metric is 0, traffic share count is 1',
    `      AS Hops ${best.asPath.length}`,
    `      Route tag ${best.asPath[0]}`,
    '      MPLS label: none',
  ].join('\n');
}
