// Owns: CISCO-PORT-SECURITY-MIB of a simulated switch: the settings of its ports, its secure addresses, and destroying one
// of them. As CISCO-PORT-SECURITY-CAPABILITY says of Catalyst 6500: active, createAndGo, destroy; creating is left out here.
import type { Switch } from '../model/switch/switch.ts';
import { type CellRequest, type SnmpAgent, snmp, type TableProvider, table } from './net-snmp.ts';

export type SecureSwitch = Pick<Switch, 'ports' | 'interfaces' | 'secureRows' | 'clearSecure'>;

const { Integer, Null } = snmp.ObjectType;
const entry = '1.3.6.1.4.1.9.9.315.1.2';
const rowStatus = { active: 1, destroy: 6 } as const;
const types = { configured: 1, dynamic: 2, sticky: 3 } as const;
const violations = { shutdown: 1, restrict: 2, protect: 3 } as const;
const indexFrom = 101;
const octets = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'] as const;

export function securityTables(secure: SecureSwitch): readonly TableProvider[] {
  const index = ['cpsIfIndex', ...octets, 'cpsIfVlanSecureVlanIndex'];
  // net-snmp tells indexes apart by their column; not accessible, they are no columns that anybody sees.
  const indexColumns = Object.fromEntries(index.map((name, i) => [name, [indexFrom + i, Integer] as const]));
  const addresses = table('cpsIfVlanSecureMacAddrTable', `${entry}.3.1`, index, {
    ...indexColumns,
    cpsIfVlanSecureMacAddrType: [3, Integer],
    cpsIfVlanSecureMacAddrRowStatus: [5, Integer],
  });
  const hidden = { maxAccess: snmp.MaxAccess['not-accessible'] };
  const writable = { maxAccess: snmp.MaxAccess['read-create'], rowStatus: true };
  return [
    table('cpsIfConfigTable', `${entry}.1.1`, ['cpsPortIndex'], {
      cpsPortIndex: [0, Integer],
      cpsIfPortSecurityStatus: [2, Integer],
      cpsIfCurrentSecureMacAddrCount: [4, Integer],
      cpsIfViolationAction: [8, Integer],
    }),
    {
      ...addresses,
      tableColumns: addresses.tableColumns.map((column) => {
        if (column.number === 5) return { ...column, ...writable };
        return column.number >= indexFrom ? { ...column, ...hidden } : column;
      }),
      handler: (request) => destroyRow(secure, request),
    },
  ];
}

export function fillSecurity(secure: SecureSwitch, agent: SnmpAgent): void {
  const mib = agent.getMib();
  const interfaces = secure.interfaces();
  const rows = secure.secureRows();
  for (const { name, security } of secure.ports()) {
    const { ifIndex, up, errDisabled } = interfaces.find((each) => each.name === name)!;
    const status = errDisabled ? 3 : up && security.enabled ? 1 : 2;
    const own = rows.filter(({ port }) => port === name);
    mib.addTableRow('cpsIfConfigTable', [ifIndex, status, own.length, violations[security.violation]]);
    for (const { mac, vlan, type } of own) {
      const address = mac.split(':').map((octet) => Number.parseInt(octet, 16));
      mib.addTableRow('cpsIfVlanSecureMacAddrTable', [ifIndex, ...address, vlan, types[type], rowStatus.active]);
    }
  }
}

/** A set is tested first, then done; net-snmp takes the row out of its own table, we out of the switch. */
function destroyRow(secure: SecureSwitch, request: CellRequest): void {
  if (request.setValue === undefined) {
    request.done();
    return;
  }
  if (request.setValue !== rowStatus.destroy) {
    request.done({ errorStatus: snmp.ErrorStatus.InconsistentValue, type: Null, value: null });
    return;
  }
  if (request.commitSet) {
    const [ifIndex, ...rest] = request.oid.split('.').slice(-8).map(Number);
    const vlan = rest.pop();
    const mac = rest.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
    const port = secure.interfaces().find((each) => each.ifIndex === ifIndex)?.name ?? '';
    const operator = { user: 'snmp', peer: 'udp', transport: 'snmp' } as const;
    secure.clearSecure({ mac, port, vlans: (each) => each === vlan }, `destroy ${request.oid}`, operator);
  }
  request.done();
}
