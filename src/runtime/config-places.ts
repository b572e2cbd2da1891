// Owns: whether hypervisors, the ports they are behind and the paths between them fit the targets of the inventory.
import { dscpWords, isDscp } from '../model/dscp.ts';
import { interfaceName } from '../model/interface-name.ts';
import { nearest } from '../model/nearest.ts';
import type { Attachment, Inventory, LibvirtAccess, Target, Path as Way } from '../model/target.ts';
import { type Finding, finding } from './config-findings.ts';
import { libvirtUriFindings } from './config-libvirt.ts';
import type { Path } from './config-problem.ts';

export function placeFindings(inventory: Inventory): readonly Finding[] {
  const { targets, attachments = [], paths = [] } = inventory;
  return [
    ...Object.entries(targets).flatMap(([name, target]) => [
      ...accessFindings(['targets', name], target),
      ...writeFindings(['targets', name, 'snmp', 'write'], target),
    ]),
    ...libvirtUriFindings(inventory),
    ...attachments.flatMap((attachment, i) => attachmentFindings(['attachments', i], attachment, inventory)),
    ...twicePlugged(attachments),
    ...paths.flatMap((way, i) => pathFindings(['paths', i], way, paths.slice(0, i), inventory)),
  ];
}

/** What each transport needs besides an address. */
const needed: Readonly<Record<LibvirtAccess['transport'], readonly (keyof LibvirtAccess)[]>> = {
  unix: ['socket'],
  tls: ['ca', 'certificate', 'key'],
  ssh: ['ssh'],
  tcp: [],
};

function accessFindings(path: Path, { platform, libvirt }: Target): readonly Finding[] {
  if (platform !== 'libvirt') {
    const remedy = 'Write platform: libvirt, or take the libvirt section out.';
    return libvirt ? [finding([...path, 'libvirt'], `a ${platform} has no libvirtd`, remedy)] : [];
  }
  if (!libvirt) {
    const remedy = 'Add "libvirt:" with a transport, as in libvirt: { transport: tls, ca: …, certificate: …, key: … }.';
    return [finding(path, 'a hypervisor lacks "libvirt"', remedy)];
  }
  const missing = needed[libvirt.transport].filter((key) => libvirt[key] === undefined).map((key) => `"${key}"`);
  if (missing.length === 0) return [];
  const cause = `libvirt over ${libvirt.transport} lacks ${missing.join(' and ')}`;
  return [finding([...path, 'libvirt'], cause, `Write ${missing.length > 1 ? 'them' : 'it'}, or choose another transport.`)];
}

/** What is set over SNMP is sticky addresses, on switches without a command line: elsewhere it is a secret with power for nothing. */
function writeFindings(path: Path, { platform, cli, snmp }: Target): readonly Finding[] {
  if (!snmp?.write) return [];
  if (platform !== 'cisco-ios' && platform !== 'cisco-iosxe')
    return [finding(path, `nothing is set over SNMP on a ${platform}`, 'Take "write" out.')];
  if (!cli) return [];
  return [finding(path, 'nothing is set over SNMP where there is a cli section', 'Take "write" out, or the cli section.')];
}

function attachmentFindings(
  path: Path,
  { hypervisor, target, vtep, vlans, native }: Attachment,
  inventory: Inventory,
): readonly Finding[] {
  const found = [
    ...hypervisorFindings([...path, 'hypervisor'], hypervisor, inventory),
    ...switchFindings([...path, 'target'], target, inventory),
    ...(vtep === undefined ? [] : switchFindings([...path, 'vtep'], vtep, inventory)),
  ];
  if (native !== undefined && !vlans.includes(native))
    found.push(finding([...path, 'native'], `VLAN ${native} is not among its vlans`, 'Add it there, or correct it.'));
  return found;
}

/** A port has one thing at its other end. */
function twicePlugged(attachments: readonly Attachment[]): readonly Finding[] {
  const owners = new Map<string, string>();
  return attachments.flatMap(({ hypervisor, target, interface: name }, i) => {
    const port = `${target} ${interfaceName(name)}`;
    const owner = owners.get(port);
    owners.set(port, hypervisor);
    if (owner === undefined) return [];
    return [finding(['attachments', i, 'interface'], `${owner} is behind ${port} already`, 'Correct one of the two.')];
  });
}

function pathFindings(
  path: Path,
  { from, to, dscp, egress }: Way,
  before: readonly Way[],
  inventory: Inventory,
): readonly Finding[] {
  const found = [
    ...hypervisorFindings([...path, 'from'], from, inventory),
    ...hypervisorFindings([...path, 'to'], to, inventory),
    ...dscpFindings([...path, 'dscp'], dscp),
    ...egress.flatMap(({ target }, i) => switchFindings([...path, 'egress', i, 'target'], target, inventory)),
    ...egress.flatMap((port, i) => crossedFindings([...path, 'egress', i], port, egress.slice(0, i))),
  ];
  if (from === to) found.push(finding([...path, 'to'], `the path leads from "${from}" to itself`, 'Say another hypervisor.'));
  if (before.some((way) => way.from === from && way.to === to))
    found.push(finding(path, `there is a path from "${from}" to "${to}" already`, 'Keep one of the two.'));
  return found;
}

/** No class of a policy-map would ever match it. */
function dscpFindings(path: Path, written: string): readonly Finding[] {
  if (isDscp(written)) return [];
  const meant = /^[\d\s.+-]*$/.test(written) ? undefined : nearest(written, dscpWords);
  const form = 'Write a number of 0 to 63 in quotes, or its word, such as cs4, af41 or ef.';
  return [finding(path, `"${written.slice(0, 64)}" is no DSCP`, meant ? `Did you mean ${meant}?` : form)];
}

function targetFindings(path: Path, name: string, { targets }: Inventory): readonly Finding[] {
  if (Object.hasOwn(targets, name)) return [];
  const meant = nearest(name, Object.keys(targets));
  return [finding(path, `there is no target "${name}"`, meant ? `Did you mean ${meant}?` : 'Declare it under targets.')];
}

/** A router will do. */
function switchFindings(path: Path, name: string, inventory: Inventory): readonly Finding[] {
  const found = targetFindings(path, name, inventory);
  if (found.length > 0 || inventory.targets[name]?.platform !== 'libvirt') return found;
  return [finding(path, `"${name}" is a hypervisor, and no switch`, 'Name a router or a switch.')];
}

type Port = Way['egress'][number];

/** What leaves by one port twice goes in a circle. */
function crossedFindings(path: Path, port: Port, before: readonly Port[]): readonly Finding[] {
  const placeOf = ({ target, interface: name }: Port) => `${target} ${interfaceName(name)}`;
  if (!before.some((each) => placeOf(each) === placeOf(port))) return [];
  return [finding(path, `the path leaves by ${placeOf(port)} already`, 'Keep one of the two.')];
}

function hypervisorFindings(path: Path, name: string, inventory: Inventory): readonly Finding[] {
  const found = targetFindings(path, name, inventory);
  if (found.length > 0 || inventory.targets[name]?.platform === 'libvirt') return found;
  return [finding(path, `"${name}" is no hypervisor`, 'Name a target whose platform is libvirt.')];
}
