// Owns: what is asked of a target and what was read, in the words of the field, one phrase each.
import { type Reading, rowsOf } from '../model/entry.ts';
import type { Want } from '../model/intent.ts';
import type { QueryKind, QueryRow } from '../model/query.ts';

type Ask = Extract<Want, { kind: 'read' }>;

const questions: { readonly [Q in QueryKind]: (about: string | undefined) => string } = {
  fhrp: () => 'who is active?',
  domains: () => 'which guests are there?',
  hypervisor: () => 'what does it offer a guest?',
  'vm-needs': () => 'what does the guest need?',
  'port-security': (port) => `port security${port ? ` of ${port}` : ''}?`,
  switchport: (port) => `VLANs${port ? ` of ${port}` : ''}?`,
  vnis: () => 'which VLAN is which VNI?',
  'policy-maps': () => 'which policy-maps are there?',
  routes: (address) => `which way${address ? ` to ${address}` : ''}?`,
  macs: (mac) => `where is ${mac ?? 'which MAC address'}?`,
};

/** `which way to 10.255.0.2?` */
export function questionText({ query, about }: Pick<Ask, 'query' | 'about'>): string {
  return questions[query](about);
}

type Say<Q extends QueryKind> = (row: QueryRow<Q>) => string;

const says: { readonly [Q in QueryKind]: Say<Q> } = {
  fhrp: ({ interface: name, group, instance, state }) =>
    `${[name, group === undefined ? instance : `group ${group}`].filter(Boolean).join(' ')} ${state}`,
  domains: ({ vm, state, reason, job }) => `${vm} ${state} (${job ?? reason})`,
  hypervisor({ arch, cpuModel, networks, pools }) {
    const storage = pools.map(
      ({ name, path, active, availableBytes }) =>
        `pool ${name} at ${path} (${active ? `${gib(availableBytes)} free` : 'inactive'})`,
    );
    return [`${arch} ${cpuModel}`, ...(networks.length > 0 ? [`bridge ${networks.join(', ')}`] : []), ...storage].join(', ');
  },
  'vm-needs'({ vm, memoryBytes, cpu, nics, disks }) {
    const plugs = nics.map(({ source = 'no bridge', vlan }) => `${source}${vlan === undefined ? '' : ` VLAN ${vlan}`}`);
    const stores = disks.map(({ source, pool, bytes }) => `${gib(bytes)} in ${pool === undefined ? source : `pool ${pool}`}`);
    return [`${vm} needs ${gib(memoryBytes)} of memory`, ...(cpu ? [`CPU ${cpu}`] : []), ...plugs, ...stores].join(', ');
  },
  'port-security': ({ interface: name, enabled, sticky, violation, status }) =>
    enabled
      ? `${name} ${sticky ? 'sticky, ' : ''}violation ${violation}, ${status === 'secure-shutdown' ? 'err-disabled' : status}`
      : `${name} without port security`,
  switchport({ interface: name, mode, access, native, allowed }) {
    if (mode === 'access') return `${name} access VLAN ${access ?? '?'}`;
    if (mode === 'other') return `${name} neither access nor trunk`;
    return [`${name} trunk`, `VLAN ${allowed?.join(', ') ?? 'all'}`, ...(native === undefined ? [] : [`native ${native}`])].join(
      ', ',
    );
  },
  vnis: ({ vlan, vni }) => `VLAN ${vlan} is VNI ${vni}`,
  'policy-maps'({ policy, classes }) {
    const marks = [...new Set(classes.flatMap(({ dscp }) => dscp))];
    return `${policy}${marks.length > 0 ? ` takes ${marks.join(', ')}` : ''}`;
  },
  routes: ({ prefix, nextHop, interface: name }) =>
    [prefix, ...(nextHop === undefined ? [] : [`via ${nextHop}`]), ...(name === undefined ? [] : [`by ${name}`])].join(' '),
  macs: ({ mac, vlan, interface: name, type }) => `${mac} at ${name} in VLAN ${vlan} (${type})`,
};

const nothings: Partial<Record<QueryKind, string>> = {
  fhrp: 'no redundancy groups',
  domains: 'no guests',
  routes: 'no way there',
  vnis: 'no VLAN has a VNI',
  'policy-maps': 'no policy-maps',
  macs: 'seen nowhere',
};

/** What was read, or why it could not be. */
export function readingText(reading: Reading): string {
  const { result, query } = reading;
  if (result.kind !== 'rows') return `${result.kind}: ${result.reason}`;
  return (
    rowTexts(reading, query).join(query === 'fhrp' || query === 'domains' ? ', ' : '; ') || (nothings[query] ?? `no ${query}`)
  );
}

function rowTexts<Q extends QueryKind>(reading: Reading, query: Q): readonly string[] {
  const say: Say<Q> = says[query];
  return (rowsOf(reading, query) ?? []).map((row) => say(row));
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1).replace(/\.0$/, '')} GiB`;
