// Owns: how NX-OS tells of its switch ports, its VXLAN segments and its routes.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { QueryRow } from '../../../src/model/query.ts';
import type { QueryReader } from '../../../src/ports/platform.ts';
import { type RouteTable, routesTo } from '../cisco-ios/routes.ts';
import { switchport } from '../cisco-ios/switchport.ts';
import { interfaceWord } from '../cisco-ios/words.ts';
import { aboutOf, linesOf, show, unreadable } from '../dialogue.ts';

export const nxosSwitchport: QueryReader<'switchport'> = function* (_target, ask) {
  const name = interfaceWord(aboutOf(ask, 'interface'));
  const command = `show interface ${name.toLowerCase()} switchport`;
  return [switchport(command, yield* show(command), name)];
};

const vniCommand = 'show nve vni';
/** `nve1  10010  UnicastBGP  Up  CP  L2 [10]`; an L3 one carries a VRF. */
const vniRow = /^\s*nve\d+\s+(?<vni>\d{1,8})\s+\S+\s+(?<state>\S+)\s+\S+\s+(?<type>L[23])\s+\[(?<to>[^\]]+)\](?:\s+.*)?$/;

export const nxosVnis: QueryReader<'vnis'> = function* () {
  const lines = linesOf(yield* show(vniCommand));
  if (lines.length === 0) return [];
  const heading = lines.findIndex((line) =>
    /^\s*Interface\s+VNI\s+Multicast-group\s+State\s+Mode\s+Type\s+\[BD\/VRF\]/i.test(line),
  );
  if (heading < 0) throw unreadable(vniCommand, lines[0]!);
  const rows = lines.slice(heading + 1).filter((line) => !/^[\s-]+$/.test(line));
  return rows.flatMap((line): readonly QueryRow<'vnis'>[] => {
    const { vni, state, type, to } = vniRow.exec(line)?.groups ?? {};
    if (vni === undefined) throw unreadable(vniCommand, line);
    return state === 'Up' && type === 'L2' && /^\d{1,4}$/.test(to!) ? [{ vlan: Number(to), vni: Number(vni) }] : [];
  });
};

export const nxosRoutes: QueryReader<'routes'> = (_target, ask) => routesTo(ask, nxosRouteTable);

/** `10.0.255.1/32, ubest/mbest: 1/0` and below it `    *via 10.24.1.74, Eth1/1, [170/51712], 4w4d, …`; the star is the best. */
export const nxosRouteTable: RouteTable = (command, text) => {
  const lines = linesOf(text);
  if (!lines.some((line) => /^IP Route Table for VRF "/.test(line))) throw unreadable(command, lines[0] ?? '(nothing)');
  if (lines.some((line) => /^\s*Route not found$/i.test(line))) return [];
  const at = lines.findIndex((line) => /^\d+\.\d+\.\d+\.\d+\/\d{1,2}, ubest\/mbest: \d+\/\d+/.test(line));
  if (at < 0) throw unreadable(command, lines.at(-1)!);
  const head = /^(?<prefix>\S+), ubest\/mbest: (?<best>\d+)\//.exec(lines[at]!)!.groups!;
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => /^\S/.test(line));
  const paths = rest.slice(0, end < 0 ? rest.length : end).map((line) => pathOf(line));
  const best = paths.filter((path) => path !== undefined);
  // The heading counts the best next hops: fewer lines are not the whole answer.
  if (best.length !== Number(head.best) || best.length === 0) throw unreadable(command, lines.at(-1)!);
  return best.map(({ hop, via }) => ({
    prefix: head.prefix!,
    ...(hop === undefined ? {} : { nextHop: hop }),
    ...(via === undefined ? {} : { interface: interfaceName(via) }),
  }));
};

function pathOf(line: string): { readonly hop: string | undefined; readonly via: string | undefined } | undefined {
  const match = /^\s+\*via (?:(\d+\.\d+\.\d+\.\d+)(?:%\S+?)?, )?(?:([A-Za-z][\w./-]*), )?\[\d+\/\d+\], /.exec(line);
  return match ? { hop: match[1], via: match[2] } : undefined;
}
