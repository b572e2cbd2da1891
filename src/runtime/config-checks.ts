// Owns: what no schema can say: whether the parts of the configuration and the inventory fit each other.
import type { Config } from '../model/config.ts';
import { OperatorError } from '../model/errors.ts';
import { interfaceName } from '../model/interface-name.ts';
import { journalEntryBytesMax } from '../model/limits.ts';
import { nearest } from '../model/nearest.ts';
import type { Gateway, Inventory, Member } from '../model/target.ts';
import { canonicalPrefix } from '../resources/bgp-network.ts';
import { addressFindings, sourceAddressFindings } from './config-addresses.ts';
import { type Finding, finding } from './config-findings.ts';
import { placeFindings } from './config-places.ts';
import type { Path } from './config-problem.ts';
import { requestFindings } from './config-requests.ts';
import { engineFindings } from './config-snmp.ts';

export function configFindings(config: Config, inventory: Inventory | undefined): readonly Finding[] {
  const users = config.sources.snmp?.users ?? [];
  const modes = Object.keys(config.modes.targets).filter((name) => inventory && !Object.hasOwn(inventory.targets, name));
  return [
    ...users.flatMap(({ name }, i) =>
      users.findIndex((each) => each.name === name) < i
        ? [finding(['sources', 'snmp', 'users', i, 'name'], `the user "${name}" is there already`, 'Keep one of the two.')]
        : [],
    ),
    ...sourceAddressFindings(config.sources),
    ...requestFindings(config.sources),
    ...modes.map((name): Finding => ({ ...noTarget(['modes', 'targets', name], name, inventory!), part: 'key' })),
  ];
}

/** Modes of policies that are not there: `policies` are those that are. */
export function modeFindings({ modes }: Config, policies: readonly string[]): readonly Finding[] {
  return Object.keys(modes.policies).flatMap((name): readonly Finding[] => {
    if (policies.includes(name)) return [];
    const meant = nearest(name, policies);
    const others = policies.length > 0 ? `The policies are: ${policies.join(', ')}.` : 'There are no policies.';
    const remedy = meant
      ? `Did you mean ${meant}?`
      : `${others} Remove it, or leave it until a policy whose file is gone has let go.`;
    return [{ path: ['modes', 'policies', name], part: 'key', cause: `there is no policy "${name}"`, remedy }];
  });
}

export function inventoryFindings(inventory: Inventory): readonly Finding[] {
  const gateways = Object.entries(inventory.gateways);
  return [
    ...sizeFindings(inventory),
    ...gateways.flatMap(([name, gateway]) => [
      ...gateway.members.flatMap((member, i) => memberFindings(['gateways', name, 'members', i], member, gateway, inventory)),
      ...twiceOnOneTarget(name, gateway),
      ...otherGroups(name, gateway),
      ...prefixFindings(name, gateway),
    ]),
    ...sharedGroups(gateways),
    ...addressFindings(inventory),
    ...placeFindings(inventory),
    ...engineFindings(inventory),
  ];
}

/** The inventory is an entry of the journal, so that a replay sees the network as it was that day. */
function sizeFindings(inventory: Inventory): readonly Finding[] {
  const bytes = Buffer.byteLength(JSON.stringify(inventory));
  if (bytes <= journalEntryBytesMax) return [];
  const cause = `the inventory is ${bytes} bytes as JSON, and the journal takes ${journalEntryBytesMax}`;
  return [finding([], cause, 'Split the network between two Offboxes.')];
}

function noTarget(path: Path, name: string, inventory: Inventory): Finding {
  const meant = nearest(name, Object.keys(inventory.targets));
  return finding(
    path,
    `there is no target "${name}"`,
    meant ? `Did you mean ${meant}?` : 'Declare it under targets, or remove it here.',
  );
}

function memberFindings(path: Path, member: Member, gateway: Gateway, inventory: Inventory): readonly Finding[] {
  const found: Finding[] = [];
  if (!Object.hasOwn(inventory.targets, member.target)) found.push(noTarget([...path, 'target'], member.target, inventory));
  if (inventory.targets[member.target]?.platform === 'libvirt') {
    const cause = `"${member.target}" is a hypervisor, and no member of a gateway`;
    found.push(finding([...path, 'target'], cause, 'Name a router or a switch.'));
  }
  const { protocol } = gateway;
  const without = (['interface', 'group'] as const).filter((key) => member[key] === undefined);
  if (protocol === 'hsrp' && without.length > 0) {
    const keys = without.map((key) => `"${key}"`).join(' and ');
    found.push(finding(path, `a member of an HSRP gateway lacks ${keys}`, 'Write both, as in interface: Vlan20 and group: 2.'));
  }
  if (protocol === 'hsrp' && member.instance !== undefined) {
    found.push(finding([...path, 'instance'], 'HSRP has no instances, they are of keepalived (vrrp)', 'Remove it.'));
  }
  if (protocol === 'vrrp' && member.group === undefined && member.instance === undefined) {
    found.push(
      finding(
        path,
        'a member of a VRRP gateway lacks "group" or "instance"',
        'Write the virtual router id as group, or the vrrp_instance of keepalived as instance.',
      ),
    );
  }
  // RFC 9568 section 5.2.3: VRID 1 to 255.
  if (protocol === 'vrrp' && member.group !== undefined && (member.group < 1 || member.group > 255)) {
    found.push(finding([...path, 'group'], `${member.group} is no virtual router id`, 'It is 1 to 255.'));
  }
  return found;
}

function twiceOnOneTarget(name: string, { members }: Gateway): readonly Finding[] {
  return members.flatMap(({ target }, i) => {
    if (members.findIndex((each) => each.target === target) === i) return [];
    const remedy = 'A gateway has one member a target: declare a second gateway for another interface, group or family.';
    return [finding(['gateways', name, 'members', i, 'target'], `"${target}" is a member already`, remedy)];
  });
}

/** Members of one virtual router tell each other their group. Of keepalived's instances each box has names of its own. */
function otherGroups(name: string, { members }: Gateway): readonly Finding[] {
  const [first] = members;
  const textOf = ({ group, family }: Member) => `group ${group} (${family})`;
  return members.flatMap((member, i) => {
    if (!first || member.group === undefined || first.group === undefined || textOf(member) === textOf(first)) return [];
    // That is told already.
    if (members.findIndex(({ target }) => target === member.target) < i) return [];
    const remedy = 'Correct it, or declare a second gateway: the members of one share group and family.';
    const cause = `is in ${textOf(member)}, and "${first.target}" in ${textOf(first)}`;
    return [finding(['gateways', name, 'members', i], cause, remedy)];
  });
}

function prefixFindings(name: string, { prefixes }: Gateway): readonly Finding[] {
  return prefixes.flatMap((written, i) => {
    const path = ['gateways', name, 'prefixes', i];
    if (prefixes.indexOf(written) < i) return [finding(path, `"${written}" is there already`, 'Remove one of the two.')];
    try {
      canonicalPrefix(written);
      return [];
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      return [finding(path, error.summary, error.remedy)];
    }
  });
}

/** An event of a group must belong to one gateway. */
function sharedGroups(gateways: readonly (readonly [string, Gateway])[]): readonly Finding[] {
  const owners = new Map<string, string>();
  return gateways.flatMap(([name, { protocol, members }]) =>
    members.flatMap((member, i): Finding[] => {
      const { target, group, instance, family } = member;
      if (group === undefined && instance === undefined) return [];
      const where = interfaceName(member.interface ?? '');
      const key = JSON.stringify([protocol, target, where, group ?? null, instance ?? null, family]);
      const owner = owners.get(key);
      if (owner === undefined || owner === name) {
        owners.set(key, name);
        return [];
      }
      const what = [where, group === undefined ? `instance ${instance}` : `group ${group}`, family]
        .filter((part) => part !== '')
        .join(' ');
      return [
        finding(
          ['gateways', name, 'members', i],
          `${what} of "${target}" belongs to gateway "${owner}" already`,
          'Remove it from one of the two.',
        ),
      ];
    }),
  );
}
