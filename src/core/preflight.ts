// Owns: what an engineer checks by hand before a VM is migrated live: which questions to ask of both hypervisors, both switch
// ports, both VTEPs and every port on the way, and what their answers forbid. Each refusal names the condition and the remedy.
//
// What cannot be read is a refusal: a migration that nobody can vouch for is not begun.
import { defaultIfEmpty, forkJoin, map, type Observable, of } from 'rxjs';
import { dscpWord } from '../model/dscp.ts';
import { interfaceName } from '../model/interface-name.ts';
import type { MeaningOf } from '../model/meaning.ts';
import type { QueryKind, QueryRow } from '../model/query.ts';
import type { Attachment } from '../model/target.ts';
import type { InventoryView } from './facts.ts';
import type { PipeTools } from './policy.ts';

export interface Refusal {
  /** `reading`, `storage`, `network`, `cpu`, `vni`, `tagging`, `policy-map`, `path`, `port-security`, `vm`. */
  readonly condition: string;
  readonly text: string;
}

type Request = MeaningOf<'vm.migration-requested'>;
/** What was answered; undefined where it could not be read. */
type Answer<Q extends QueryKind> = readonly QueryRow<Q>[] | undefined;

interface Answers {
  readonly needs: Answer<'vm-needs'>;
  readonly from: Answer<'hypervisor'>;
  readonly to: Answer<'hypervisor'>;
  readonly ends: readonly EndAnswers[];
  readonly hops: readonly HopAnswers[];
}

/** One attachment of one of the hypervisors. */
interface EndAnswers {
  readonly attachment: Attachment;
  readonly vnis: Answer<'vnis'>;
  readonly switchport: Answer<'switchport'>;
  readonly security: Answer<'port-security'>;
}

interface HopAnswers {
  readonly target: string;
  readonly interface: string;
  readonly policyMaps: Answer<'policy-maps'>;
  readonly routes: Answer<'routes'>;
}

export interface PreflightOptions {
  /** Must be there on every port of the path, with a class that takes the traffic. */
  readonly policyMap: string;
}

/** Asks everything at once; gives the refusals, none where it may begin. */
export function preflight(
  request: Request,
  tools: Pick<PipeTools, 'read' | 'inventory'>,
  { policyMap }: PreflightOptions,
): Observable<readonly Refusal[]> {
  const { inventory } = tools;
  const { from, to, uuid } = request;
  const read = <Q extends QueryKind>(target: string, query: Q, about?: string): Observable<Answer<Q>> =>
    tools.read(target, query, about).pipe(defaultIfEmpty(undefined));
  const path = inventory.path(from, to);
  const ends = [from, to].flatMap((host) => inventory.attachmentsOf(host));
  return forkJoin({
    needs: read(from, 'vm-needs', uuid),
    from: read(from, 'hypervisor'),
    to: read(to, 'hypervisor'),
    ends: together(
      ends.map((attachment) =>
        forkJoin({
          attachment: of(attachment),
          vnis: read(attachment.vtep ?? attachment.target, 'vnis'),
          switchport: read(attachment.target, 'switchport', attachment.interface),
          security: read(attachment.target, 'port-security', attachment.interface),
        }),
      ),
    ),
    hops: together(
      inventory.pathBetween(from, to).map(({ target, interface: name }) =>
        forkJoin({
          target: of(target),
          interface: of(name),
          policyMaps: read(target, 'policy-maps'),
          routes: read(target, 'routes', path!.toward),
        }),
      ),
    ),
  }).pipe(map((answers) => judge(request, answers, inventory, policyMap)));
}

/** forkJoin of none gives nothing at all. */
function together<T>(all: readonly Observable<T>[]): Observable<readonly T[]> {
  return all.length === 0 ? of([]) : forkJoin([...all]);
}

export function judge(request: Request, answers: Answers, inventory: InventoryView, policyMap: string): readonly Refusal[] {
  const [needs] = answers.needs ?? [];
  if (!needs) return [refusal('vm', `${request.vm} cannot be read on ${request.from}`, 'Is it there, and is the hypervisor up?')];
  const [from] = answers.from ?? [];
  const [to] = answers.to ?? [];
  if (!from || !to) {
    const silent = from ? request.to : request.from;
    return [refusal('vm', `${silent} cannot be read`, 'Look at its libvirtd and at `offbox show targets`.')];
  }
  return [
    ...performable(request, inventory),
    ...unread(answers),
    ...storage(request, needs, from, to),
    ...network(request, needs, to),
    ...cpu(request, needs, from, to),
    ...stretched(request, needs, answers.ends),
    ...security(request, answers.ends),
    ...onTheWay(request, answers.hops, inventory, policyMap),
  ];
}

/** Offbox can begin it: it may write on the source, and knows where the source reaches the destination. */
function performable({ perform, from, to }: Request, inventory: InventoryView): readonly Refusal[] {
  if (!perform) return [];
  const found: Refusal[] = [];
  if (!inventory.target(from)?.libvirt?.write)
    found.push(refusal('vm', `Offbox may not write on ${from}`, `Give targets.${from}.libvirt.write: true.`));
  if (!inventory.target(to)?.libvirt?.migrationUri)
    found.push(refusal('vm', `nobody knows where ${from} reaches ${to}`, `Give targets.${to}.libvirt.migrationUri.`));
  return found;
}

/** Switch by switch what could not be read: what it would have shown is not judged. */
function unread({ ends, hops }: Answers): readonly Refusal[] {
  const questions = [
    ...ends.flatMap(({ attachment: { target, interface: name, vtep }, vnis, switchport, security: secured }) => [
      { target: vtep ?? target, what: 'VNIs', answer: vnis },
      { target, what: `the VLANs of ${name}`, answer: switchport },
      { target, what: `port security of ${name}`, answer: secured },
    ]),
    ...hops.flatMap(({ target, policyMaps, routes }) => [
      { target, what: 'policy-maps', answer: policyMaps },
      { target, what: 'routes', answer: routes },
    ]),
  ].filter(({ answer }) => answer === undefined);
  return [...Map.groupBy(questions, ({ target }) => target)].map(([target, unanswered]) => {
    const what = [...new Set(unanswered.map((question) => question.what))].join(', ');
    return refusal('reading', `${target} does not tell: ${what}`, 'Look at `offbox show targets`, and ask again.');
  });
}

type Host = QueryRow<'hypervisor'>;
type Needs = QueryRow<'vm-needs'>;

/** Pool by pool what the VM's disks take: the same name, the same path, and room. */
function storage({ from, to }: Request, needs: Needs, source: Host, destination: Host): readonly Refusal[] {
  const loose = needs.disks.filter(({ pool }) => pool === undefined);
  const found = loose.map(({ source: disk }) =>
    refusal('storage', `${disk} is in no storage pool of ${from}`, 'Put it into one that both hypervisors have.'),
  );
  for (const [name, disks] of Map.groupBy(needs.disks, ({ pool }) => pool ?? '')) {
    if (name === '') continue;
    const here = source.pools.find((pool) => pool.name === name);
    const there = destination.pools.find((pool) => pool.name === name);
    const bytes = disks.reduce((sum, disk) => sum + disk.bytes, 0);
    if (!there?.active) {
      found.push(refusal('storage', `${to} has no active storage pool ${name}`, `Define and start it there, at ${here?.path}.`));
    } else if (here && here.path !== there.path) {
      found.push(refusal('storage', `pool ${name} is ${here.path} on ${from} and ${there.path} on ${to}`, 'Give it one path.'));
    } else if (there.availableBytes < bytes) {
      const free = `${gib(there.availableBytes)} free, ${gib(bytes)} needed`;
      found.push(refusal('storage', `pool ${name} of ${to} is too full: ${free}`, 'Make room there.'));
    }
  }
  return found;
}

function network({ to }: Request, { nics }: Needs, destination: Host): readonly Refusal[] {
  const missing = new Set(nics.flatMap(({ source }) => (source && !destination.networks.includes(source) ? [source] : [])));
  return [...missing].map((name) => refusal('network', `${to} has no bridge or network ${name}`, 'Make it there first.'));
}

function cpu({ from, to }: Request, needs: Needs, source: Host, destination: Host): readonly Refusal[] {
  if (source.arch !== destination.arch)
    return [
      refusal(
        'cpu',
        `the CPU of ${from} is ${source.arch}, that of ${to} ${destination.arch}`,
        'Choose a host of its architecture.',
      ),
    ];
  const lacking = source.cpuFeatures.filter((feature) => !destination.cpuFeatures.includes(feature));
  const same = source.cpuModel === destination.cpuModel && lacking.length === 0;
  if (needs.cpu === 'host-passthrough' && !same) {
    const why = lacking.length > 0 ? `lacks ${lacking.join(', ')}` : `is ${destination.cpuModel}`;
    return [
      refusal('cpu', `it has the CPU of ${from} as it is (${source.cpuModel}), and ${to} ${why}`, 'Give it a named model.'),
    ];
  }
  if (needs.cpu === 'host-model' && (source.cpuModel !== destination.cpuModel || lacking.length > 0)) {
    const why = lacking.length > 0 ? `lacks ${lacking.join(', ')}` : `is ${destination.cpuModel}, not ${source.cpuModel}`;
    return [refusal('cpu', `the CPU of ${to} ${why}`, 'Give the VM a CPU model that both hosts have.')];
  }
  return [];
}

/** Each VLAN of the VM: one VNI at both VTEPs, and tagged alike on both ports. */
function stretched(request: Request, needs: Needs, ends: readonly EndAnswers[]): readonly Refusal[] {
  const { from, to } = request;
  const of = (host: string) => ends.filter(({ attachment }) => attachment.hypervisor === host);
  const unknown = [from, to].filter((host) => of(host).length === 0);
  if (unknown.length > 0) {
    const remedy = 'Describe under attachments of the inventory where they are plugged in.';
    return [refusal('vni', `nobody knows which switch port ${unknown.join(' and ')} is behind`, remedy)];
  }
  const tagged = new Set(needs.nics.flatMap(({ vlan }) => vlan ?? []));
  const vlans = tagged.size > 0 ? [...tagged] : [...new Set(of(from).flatMap(({ attachment }) => attachment.vlans))];
  return vlans.flatMap((vlan) => {
    const there = [from, to].map((host) => of(host).find(({ attachment }) => attachment.vlans.includes(vlan)));
    const [here, other] = there;
    if (!here || !other) {
      const lacking = here ? to : from;
      return [refusal('vni', `VLAN ${vlan} does not reach ${lacking}`, 'Allow it on that port, or correct the attachments.')];
    }
    const unlike = sameTag(vlan, here, other);
    return [
      ...sameVni(vlan, here, other),
      ...(unlike.length > 0 ? unlike : [here, other].flatMap((end) => asDescribed(vlan, end))),
    ];
  });
}

function sameVni(vlan: number, here: EndAnswers, there: EndAnswers): readonly Refusal[] {
  if (!here.vnis || !there.vnis) return [];
  const vnis = [here, there].map((end) => ({
    vtep: end.attachment.vtep ?? end.attachment.target,
    vni: end.vnis?.find((row) => row.vlan === vlan)?.vni,
  }));
  const without = vnis.filter(({ vni }) => vni === undefined);
  if (without.length > 0) {
    const names = [...new Set(without.map(({ vtep }) => vtep))];
    return [
      refusal(
        'vni',
        `${names.join(' and ')} ${names.length > 1 ? 'map' : 'maps'} VLAN ${vlan} to no VNI`,
        'Map it to the VNI of the other side.',
      ),
    ];
  }
  const [one, two] = vnis;
  if (one!.vni === two!.vni) return [];
  const said = `VLAN ${vlan} is VNI ${one!.vni} at ${one!.vtep} and ${two!.vni} at ${two!.vtep}`;
  return [refusal('vni', said, 'Map it to one VNI on both.')];
}

/** How a port sends the VLAN to its hypervisor; undefined where it does not. */
function tagOf(vlan: number, { switchport }: EndAnswers): 'tagged' | 'untagged' | undefined {
  const [port] = switchport ?? [];
  if (port?.mode === 'access') return port.access === vlan ? 'untagged' : undefined;
  if (port?.mode !== 'trunk' || (port.allowed && !port.allowed.includes(vlan))) return undefined;
  return port.native === vlan ? 'untagged' : 'tagged';
}

/** The port does what the hypervisor's side expects. */
function asDescribed(vlan: number, end: EndAnswers): readonly Refusal[] {
  if (!end.switchport) return [];
  const { target, interface: name, native, hypervisor } = end.attachment;
  const tag = tagOf(vlan, end);
  const expected = native === vlan ? 'untagged' : 'tagged';
  if (tag === expected) return [];
  const found = tag === undefined ? `does not carry VLAN ${vlan}` : `sends VLAN ${vlan} ${tag}`;
  const remedy = `${hypervisor} expects it ${expected}: change the port, or native of the attachment.`;
  return [refusal('tagging', `${target} ${name} ${found}`, remedy)];
}

function sameTag(vlan: number, here: EndAnswers, there: EndAnswers): readonly Refusal[] {
  const [one, two] = [tagOf(vlan, here), tagOf(vlan, there)];
  if (one === undefined || two === undefined || one === two) return [];
  const place = ({ attachment }: EndAnswers) => `${attachment.target} ${attachment.interface}`;
  const said = `VLAN ${vlan} is ${one} on ${place(here)} and ${two} on ${place(there)}`;
  return [refusal('tagging', said, 'A native VLAN on one side only cuts the guest off: tag it alike.')];
}

/** With `shutdown` the first frame from the new place trips the port before anybody can clear the address. */
function security({ allow = [] }: Request, ends: readonly EndAnswers[]): readonly Refusal[] {
  return ends.flatMap(({ attachment, security: rows }) => {
    if (!rows) return [];
    const [port] = rows;
    const where = `${attachment.target} ${attachment.interface}`;
    if (!port) return [refusal('port-security', `port security of ${where} cannot be read`, 'Look at the switch.')];
    if (port.status === 'secure-shutdown')
      return [refusal('port-security', `${where} is err-disabled`, 'Find out why, and bring it up: other VMs live there.')];
    if (!port.enabled || port.violation !== 'shutdown' || allow.includes('relax')) return [];
    const remedy = "Set `violation restrict`, or let it be held there meanwhile: allow: ['relax'].";
    return [refusal('port-security', `${where} shuts down on a violation, and a moving MAC address is one`, remedy)];
  });
}

function onTheWay(
  request: Request,
  hops: readonly HopAnswers[],
  inventory: InventoryView,
  policyMap: string,
): readonly Refusal[] {
  const path = inventory.path(request.from, request.to);
  if (!path) {
    const remedy = 'Describe it under paths of the inventory: each port that the traffic leaves by.';
    return [refusal('path', `path unknown from ${request.from} to ${request.to}`, remedy)];
  }
  return hops.flatMap((hop) => [...isOnPath(hop, path.toward), ...takes(hop, path.dscp, policyMap)]);
}

function isOnPath({ target, interface: name, routes }: HopAnswers, toward: string): readonly Refusal[] {
  if (!routes) return [];
  const ways = routes.flatMap((row) => (row.interface === undefined ? [] : [interfaceName(row.interface)]));
  if (ways.includes(name)) return [];
  const found = ways.length > 0 ? `by ${ways.join(' and ')}` : 'by no interface';
  const said = `path unknown: ${target} reaches ${toward} ${found}, not by ${name}`;
  return [refusal('path', said, 'The routing has changed: correct the path in the inventory.')];
}

function takes({ target, policyMaps }: HopAnswers, dscp: string, policyMap: string): readonly Refusal[] {
  if (!policyMaps) return [];
  const found = policyMaps.find(({ policy }) => policy === policyMap);
  if (!found) return [refusal('policy-map', `${target} has no policy-map ${policyMap}`, 'Configure it there.')];
  const word = dscpWord(dscp) ?? dscp;
  if (found.classes.some((one) => one.dscp.includes(word))) return [];
  const said = `no class of ${policyMap} on ${target} matches dscp ${word}`;
  return [refusal('policy-map', said, 'Match the traffic as it is encapsulated, or correct dscp of the path.')];
}

const refusal = (condition: string, what: string, remedy: string): Refusal => ({ condition, text: `${what}. ${remedy}` });
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
