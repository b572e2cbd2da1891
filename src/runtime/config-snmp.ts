// Owns: whether the SNMPv3 engine and user of a target can be whom its notifications come from: what is wrong there authenticates nothing,
// and nobody says so.
import type { Config } from '../model/config.ts';
import { nearest } from '../model/nearest.ts';
import type { Inventory } from '../model/target.ts';
import { type Finding, finding, keyFinding } from './config-findings.ts';
import type { Path } from './config-problem.ts';

/** Of the inventory by itself. */
export function engineFindings({ targets }: Inventory): readonly Finding[] {
  const owners = new Map<string, string>();
  return Object.entries(targets).flatMap(([name, { snmp }]) => {
    const path: Path = ['targets', name, 'snmp'];
    const { engine, user, write } = snmp ?? {};
    const found: Finding[] = [];
    if (user !== undefined && engine === undefined)
      found.push(keyFinding([...path, 'user'], '"engine" is missing', 'Write both: which engine, and which user of it.'));
    // A write is kept to the engine, too.
    if (engine !== undefined && user === undefined && !write)
      found.push(keyFinding([...path, 'engine'], '"user" is missing', 'Write both: which engine, and which user of it.'));
    const id = engine?.toLowerCase();
    const owner = id === undefined ? undefined : owners.get(id);
    if (id !== undefined) owners.set(id, owner ?? name);
    if (owner !== undefined)
      found.push(finding([...path, 'engine'], `"${owner}" has this engine id already`, 'Each device has its own: correct one.'));
    return found;
  });
}

/** Of the inventory, where offbox.yaml says which users are listened to. */
export function engineUserFindings({ sources }: Config, { targets }: Inventory): readonly Finding[] {
  if (!sources.snmp) return [];
  const users = (sources.snmp.users ?? []).map(({ name }) => name);
  return Object.entries(targets).flatMap(([name, { snmp }]) => {
    const { user } = snmp ?? {};
    if (user === undefined || users.includes(user)) return [];
    const meant = nearest(user, users);
    const remedy = meant ? `Did you mean ${meant}?` : 'Declare it there, with its keys.';
    return [finding(['targets', name, 'snmp', 'user'], `sources.snmp.users of offbox.yaml has no "${user}"`, remedy)];
  });
}
