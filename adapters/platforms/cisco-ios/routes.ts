// Owns: the route to an address from `show ip route A.B.C.D`. A route whose next hop is not on a wire (BGP, a static one)
// is followed until one is; the default route is asked for by name, for IOS does not give it as an answer.
import { interfaceName } from '../../../src/model/interface-name.ts';
import { routeLookupsMax } from '../../../src/model/limits.ts';
import type { QueryRow } from '../../../src/model/query.ts';
import type { Dialogue, QueryReader } from '../../../src/ports/platform.ts';
import { aboutOf, linesOf, refusal, show, unreadable } from '../dialogue.ts';

type RouteRow = QueryRow<'routes'>;

/** Reads one answer: the routes there; none where the address is not in the table. */
export type RouteTable = (command: string, text: string) => readonly RouteRow[];

export const iosRoutes: QueryReader<'routes'> = (_target, ask) => routesTo(ask, iosRouteTable);

/** The routes to an address, each with the interface it leaves by, once for each where its next hop is reached by several. */
export function* routesTo(ask: { readonly about: string | undefined }, table: RouteTable): Dialogue<readonly RouteRow[]> {
  const address = aboutOf(ask, 'address');
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address))
    throw refusal('bad-address', `"${address.slice(0, 60)}" is no IPv4 address`, 'Write it as 192.0.2.1.');
  const asked = new Map<string, readonly RouteRow[]>();
  const found: RouteRow[] = [];
  for (const row of yield* looked(address, table, asked)) {
    const interfaces = row.interface === undefined ? yield* reachedBy(row.nextHop, table, asked) : [row.interface];
    found.push(...(interfaces.length === 0 ? [row] : interfaces.map((name) => ({ ...row, interface: name }))));
  }
  return found;
}

/** The longest match, or the default route. Nothing is asked twice. */
function* looked(address: string, table: RouteTable, asked: Map<string, readonly RouteRow[]>): Dialogue<readonly RouteRow[]> {
  const known = asked.get(address);
  if (known) return known;
  if (asked.size >= routeLookupsMax) {
    throw refusal(
      'route-too-deep',
      `after ${routeLookupsMax} look-ups the way to ${address} is not resolved`,
      'Check the routes there: next hops seem to lead to each other.',
    );
  }
  const command = `show ip route ${address}`;
  const rows = table(command, yield* show(command));
  asked.set(address, rows);
  return rows.length > 0 || address === '0.0.0.0' ? rows : yield* looked('0.0.0.0', table, asked);
}

/** The interfaces by which a next hop that is not on a wire is reached. Hops that were followed before end there. */
function* reachedBy(
  hop: string | undefined,
  table: RouteTable,
  asked: Map<string, readonly RouteRow[]>,
): Dialogue<readonly string[]> {
  const interfaces = new Set<string>();
  const followed = new Set<string>();
  const open = hop === undefined ? [] : [hop];
  for (const next of open) {
    if (followed.has(next)) continue;
    followed.add(next);
    for (const row of yield* looked(next, table, asked)) {
      if (row.interface !== undefined) interfaces.add(row.interface);
      else if (row.nextHop !== undefined) open.push(row.nextHop);
    }
  }
  return [...interfaces];
}

/** `* 10.0.2.1, from 10.0.2.1, 3d04h ago, via Gi0/1`, `* directly connected, via Vlan10`, `* 10.1.11.9`. */
const path = /^\s*(?:\* )?(directly connected|\d+\.\d+\.\d+\.\d+)(?: \(\S+\))?(?:, (.*))?$/;

/** A path is whole with the line of its metric after it. */
export const iosRouteTable: RouteTable = (command, text) => {
  const lines = linesOf(text);
  if (lines.some((line) => /^\s*% ?(?:Network|Subnet) not in table$/i.test(line))) return [];
  const prefix = lines
    .map((line) => /^\s*Routing entry for (\d+\.\d+\.\d+\.\d+\/\d{1,2})(?:,.*)?$/.exec(line)?.[1])
    .find(Boolean);
  const blocks = lines.findIndex((line) => /^\s*Routing Descriptor Blocks:$/.test(line));
  if (!prefix || blocks < 0) throw unreadable(command, lines.at(-1) ?? '(nothing)');
  const rows: RouteRow[] = [];
  let open: RouteRow | undefined;
  for (const line of lines.slice(blocks + 1)) {
    const match = path.exec(line);
    if (match && open) throw unreadable(command, line);
    if (match) open = rowOf(prefix, match[1]!, match[2] ?? '');
    else if (open && /^\s*Route metric is \d+, traffic share count is \d+$/.test(line)) {
      rows.push(open);
      open = undefined;
    }
  }
  if (open || rows.length === 0) throw unreadable(command, lines.at(-1)!);
  return rows;
};

function rowOf(prefix: string, hop: string, rest: string): RouteRow {
  const via = /(?:^|, )via ([^\s,]+)/.exec(rest)?.[1];
  return {
    prefix,
    ...(hop === 'directly connected' ? {} : { nextHop: hop }),
    ...(via === undefined ? {} : { interface: interfaceName(via) }),
  };
}
