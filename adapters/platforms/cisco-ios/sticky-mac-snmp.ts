// Owns: sticky-mac over SNMP (CISCO-PORT-SECURITY-MIB), for switches that Offbox has no command line on. One row is one
// address on one port in one VLAN, so a clear can hit no other.
//
// [weak] The published statement of agent support (CISCO-PORT-SECURITY-CAPABILITY) is for IOS 12.2(18)SXF on Catalyst 6500 and
// 7600; of no other switch is it known whether its agent has the table or lets a row be destroyed. So nothing is taken for
// granted: a table that is not there is a refusal, never "no such address", and what was set is read again (law N4).

import { interfaceName } from '../../../src/model/interface-name.ts';
import type { Command, Reply, SnmpRow } from '../../../src/ports/actuator.ts';
import { gives } from '../../../src/ports/actuator.ts';
import type { Dialogue, ResourceDriver } from '../../../src/ports/platform.ts';
import { describeStickyMac, type StickyMac, type StickyMacState, verifyStickyMac } from '../../../src/resources/sticky-mac.ts';
import { refusal, unreadable } from '../dialogue.ts';
import { dottedMac, interfaceWord, macOf, vlanWord } from './words.ts';

export interface SnmpStickyMacState extends StickyMacState {
  readonly over: 'snmp';
  /** As of this reading: a reload may deal out other numbers, and takes longer than from here to the set. */
  readonly ifIndex: number;
}

const ifName = '1.3.6.1.2.1.31.1.1.1.1';
const ifDescr = '1.3.6.1.2.1.2.2.1.2';
const cps = '1.3.6.1.4.1.9.9.315.1.2';
/** Of cpsIfConfigEntry, by ifIndex. */
const port = { status: `${cps}.1.1.2`, count: `${cps}.1.1.4`, violation: `${cps}.1.1.8` } as const;
/** Of cpsIfVlanSecureMacAddrEntry, by ifIndex, the address as six numbers, and the VLAN. */
const address = { type: `${cps}.3.1.3`, rowStatus: `${cps}.3.1.5` } as const;
const destroy = 6;

const types = { 1: 'configured', 2: 'dynamic', 3: 'sticky' } as const;
const statuses = { 1: 'secure-up', 2: 'secure-down', 3: 'secure-shutdown' } as const;
const violations = { 1: 'shutdown', 2: 'restrict', 3: 'protect' } as const;

/** Over SNMP where the target has that and no command line, else by the driver given. */
export function orOverSnmp<S extends StickyMacState>(
  driver: ResourceDriver<StickyMac, S>,
): ResourceDriver<StickyMac, S | SnmpStickyMacState> {
  const isSnmp = (state: S | SnmpStickyMacState): state is SnmpStickyMacState => 'over' in state;
  return {
    *read(resource, target) {
      return yield* gives(target, 'snmp') ? readOverSnmp(resource) : driver.read(resource, target);
    },
    plan: (state, resource, desired, target) =>
      isSnmp(state) ? planOverSnmp(state, resource, desired) : driver.plan(state, resource, desired, target),
    verify: (state, _resource, desired) => verifyStickyMac(state, desired),
    describe: describeStickyMac,
  };
}

function* readOverSnmp(resource: StickyMac): Dialogue<SnmpStickyMacState> {
  const name = interfaceWord(resource.interface);
  const ifIndex = yield* indexOf(name, resource.target);
  const place = `${resource.target} ${name}`;
  const settings = yield* get([port.status, port.count, port.violation].map((column) => `${column}.${ifIndex}`));
  const at = (column: string): string | number | undefined => settings.find(({ oid }) => oid === `${column}.${ifIndex}`)?.value;
  const status = statuses[at(port.status) as keyof typeof statuses];
  const violation = violations[at(port.violation) as keyof typeof violations];
  if (!status || !violation) throw unsupported(`${place} has no port security over SNMP (CISCO-PORT-SECURITY-MIB)`);
  const rows = yield* walk(`${address.type}.${ifIndex}`);
  // What is counted and not shown: this agent has the port's settings and not the table of its addresses.
  if (rows.length === 0 && at(port.count) !== 0)
    throw unsupported(`${place} has secure addresses that its SNMP agent does not show`);
  const wanted = `${address.type}.${rowIndex(ifIndex, resource)}`;
  return {
    over: 'snmp',
    ifIndex,
    rows: rows
      .filter(({ oid }) => oid === wanted)
      .map(({ oid, value }) => {
        const type = types[value as keyof typeof types];
        if (!type) throw unreadable(oid, String(value));
        return { type, interface: name };
      }),
    status,
    violation,
  };
}

/** ifName is short on IOS and ifDescr long; both are read as the same name. */
function* indexOf(name: string, target: string): Dialogue<number> {
  for (const column of [ifName, ifDescr]) {
    const rows = yield* walk(column);
    const found = rows.filter(({ value }) => interfaceName(String(value)) === name);
    if (found.length > 1) throw unreadable(`walk ${column}`, `${name} is there ${found.length} times`);
    if (found[0]) return Number(found[0].oid.slice(column.length + 1));
  }
  throw refusal('no-interface', `${target} has no ${name} over SNMP`, 'Correct the interface in the inventory.');
}

function planOverSnmp(state: SnmpStickyMacState, resource: StickyMac, desired: 'present' | 'absent'): readonly Command[] {
  const sticky = state.rows.some(({ type }) => type === 'sticky');
  if (sticky === (desired === 'present')) return [];
  // A row that is created is a configured one: the MIB has no way to say sticky.
  if (desired === 'present') throw unsupported(`${resource.target} cannot be given a sticky address over SNMP`);
  return [{ kind: 'snmp-set', oid: `${address.rowStatus}.${rowIndex(state.ifIndex, resource)}`, integer: destroy }];
}

/** Throws where the address or the VLAN is none: a shorter index would name another row. */
function rowIndex(ifIndex: number, { mac, vlan }: StickyMac): string {
  const octets = macOf(dottedMac(mac))!.split(':');
  return [ifIndex, ...octets.map((octet) => Number.parseInt(octet, 16)), vlanWord(vlan)].join('.');
}

function unsupported(sentence: string) {
  return refusal('no-snmp-table', sentence, 'Give the target a cli section: then nothing goes over SNMP.');
}

function* get(oids: readonly string[]): Dialogue<readonly SnmpRow[]> {
  return rowsIn(yield { kind: 'snmp-get', oids });
}

function* walk(below: string): Dialogue<readonly SnmpRow[]> {
  return rowsIn(yield { kind: 'snmp-walk', below });
}

const rowsIn = ({ text }: Reply): readonly SnmpRow[] => JSON.parse(text) as readonly SnmpRow[];
