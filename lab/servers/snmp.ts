// Owns: SNMP of one device: the notifications it sends from its own address, and the agent that answers what a manager
// asks about them (IF-MIB names, CISCO-HSRP-MIB states) and about port security. The codec and the agent are net-snmp's.
import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { Chassis } from '../model/chassis.ts';
import { type DeviceEvent, hsrpStateNumbers } from '../model/device-events.ts';
import type { HsrpGroup } from '../model/hsrp.ts';
import { shortInterface } from '../model/show/show-standby.ts';
import { listening } from './listening.ts';
import { type SnmpAgent, snmp, type TableProvider, table } from './net-snmp.ts';
import type { LabAccess } from './secrets.ts';
import { fillSecurity, type SecureSwitch, securityTables } from './snmp-port-security.ts';
import type { DatagramEnd } from './syslog-sender.ts';

export interface SnmpService {
  open(): Promise<void>;
  trap(event: Extract<DeviceEvent, { kind: 'trap' }>): void;
  stop(): void;
}

/** Whom the agent speaks for. */
export interface SnmpSubject {
  readonly device: Chassis;
  readonly groups: () => readonly HsrpGroup[];
  /** Where it has port security. */
  readonly secure?: SecureSwitch | undefined;
}

export type SnmpAccess = Pick<LabAccess, 'community' | 'writeCommunity' | 'snmpUser'>;

export function createSnmpService(
  subject: SnmpSubject,
  access: SnmpAccess,
  own: DatagramEnd,
  receiver: DatagramEnd,
): SnmpService {
  const community = access.community.value;
  const secured = subject.secure ? securityTables(subject.secure) : [];
  const providers = [...tables, ...secured];
  const agentSocket = createSocket('udp4');
  const trapSocket = createSocket('udp4');
  const front = new AgentFront(agentSocket);
  const rights = { accessControlModelType: snmp.AccessControlModelType.Simple };
  const agent = snmp.createAgent({ dgramModule: { createSocket: () => front }, ...rights }, () => {});
  admit(agent, access);
  // fillTables takes each out before it puts it in again, and net-snmp throws over one that is not there.
  for (const each of providers) agent.getMib().registerProvider(each);
  const session = snmp.createSession(receiver.address, community, {
    version: snmp.Version2c,
    trapPort: receiver.port,
    dgramModule: { createSocket: () => trapSocket },
  });
  agentSocket.on('message', (bytes, from) => {
    if (!subject.device.powered) return;
    fillTables(subject, agent, providers);
    front.emit('message', bytes, from);
  });

  return {
    async open() {
      await listening(agentSocket, () => agentSocket.bind(own.port, own.address), `udp ${own.address}:${own.port}`);
      await listening(trapSocket, () => trapSocket.bind(0, own.address), `udp ${own.address}`);
    },
    trap({ oid, varbinds, uptimeHundredths }) {
      const typed = varbinds.map(({ oid: of, type, value }) => {
        return { oid: of, type: snmp.ObjectType[type], value: value instanceof Uint8Array ? Buffer.from(value) : value };
      });
      // Nobody there to listen is the receiver's affair.
      session.trap(oid, typed, { upTime: uptimeHundredths }, () => {});
    },
    stop() {
      agentSocket.close();
      trapSocket.close();
    },
  };
}

/** What the agent takes for its socket: bound by us, fed by us, so that a device without power answers nothing. */
class AgentFront extends EventEmitter {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  bind(): void {}

  send(bytes: Buffer, offset: number, length: number, port: number, address: string, done: () => void): void {
    this.#socket.send(bytes, offset, length, port, address, () => done());
  }
}

const { Integer, OctetString, IpAddress } = snmp.ObjectType;

const tables: readonly TableProvider[] = [
  table('ifTable', '1.3.6.1.2.1.2.2.1', ['ifIndex'], {
    ifIndex: [1, Integer],
    ifDescr: [2, OctetString],
    ifAdminStatus: [7, Integer],
    ifOperStatus: [8, Integer],
  }),
  // Indexed by ifTable's ifIndex, which is no column of its own; number 0 is nobody's.
  table('ifXTable', '1.3.6.1.2.1.31.1.1.1', ['ifXIndex'], { ifXIndex: [0, Integer], ifName: [1, OctetString] }),
  table('cHsrpGrpTable', '1.3.6.1.4.1.9.9.106.1.2.1.1', ['hsrpIfIndex', 'cHsrpGrpNumber'], {
    hsrpIfIndex: [0, Integer],
    cHsrpGrpNumber: [1, Integer],
    cHsrpGrpPriority: [3, Integer],
    cHsrpGrpVirtualIpAddr: [11, IpAddress],
    cHsrpGrpStandbyState: [15, Integer],
  }),
];

/** What the agent answers from, as the device is now. */
function fillTables({ device, groups, secure }: SnmpSubject, agent: SnmpAgent, providers: readonly TableProvider[]): void {
  const mib = agent.getMib();
  for (const each of providers) {
    mib.unregisterProvider(each.name);
    mib.registerProvider(each);
  }
  const status = (up: boolean) => (up ? 1 : 2);
  const interfaces = device.interfaces();
  for (const { ifIndex, name, shutdown, up } of interfaces) {
    mib.addTableRow('ifTable', [ifIndex, name, status(!shutdown), status(up)]);
    // IOS: ifDescr is the long name, ifName the short one.
    mib.addTableRow('ifXTable', [ifIndex, shortInterface(name)]);
  }
  for (const { facts, state } of groups()) {
    const ifIndex = interfaces.find(({ name }) => name === facts.interface)?.ifIndex ?? 0;
    mib.addTableRow('cHsrpGrpTable', [ifIndex, facts.group, facts.priority, facts.virtualIp, hsrpStateNumbers[state]]);
  }
  if (secure) fillSecurity(secure, agent);
}

/** The read community may read, the write community and the SNMPv3 user may set. */
function admit(agent: SnmpAgent, { community, writeCommunity, snmpUser }: SnmpAccess): void {
  const authorizer = agent.getAuthorizer();
  const { name, auth, priv } = snmpUser;
  authorizer.addCommunity(community.value);
  authorizer.addCommunity(writeCommunity.value);
  authorizer.addUser({
    name,
    level: snmp.SecurityLevel.authPriv,
    authProtocol: snmp.AuthProtocols.sha256,
    authKey: auth.value,
    privProtocol: snmp.PrivProtocols.aes,
    privKey: priv.value,
  });
  const rights = authorizer.getAccessControlModel();
  rights.setCommunityAccess(writeCommunity.value, snmp.AccessLevel.ReadWrite);
  rights.setUserAccess(name, snmp.AccessLevel.ReadWrite);
}
