// Owns: one device on the wire: its ports and what it sends, and how they come and go with its power.
import type { Wall } from '../../src/ports/wall.ts';
import { type LabAddresses, labPorts } from '../model/addresses.ts';
import type { Chassis } from '../model/chassis.ts';
import type { Commands } from '../model/cli/commands.ts';
import type { DeviceEvent } from '../model/device-events.ts';
import type { HsrpGroup } from '../model/hsrp.ts';
import type { DeviceModels } from '../model/netconf/models.ts';
import type { ShowContext } from '../model/show/show-context.ts';
import { createCliService } from './cli-service.ts';
import { createNetconfService } from './netconf-service.ts';
import type { LabAccess } from './secrets.ts';
import { createSnmpService } from './snmp.ts';
import type { SecureSwitch } from './snmp-port-security.ts';
import { createSshServer, type SshServices } from './ssh-server.ts';
import { createSyslogSender } from './syslog-sender.ts';

export interface HostOptions {
  readonly device: Chassis;
  readonly commands: (context: ShowContext) => Commands;
  /** Absent: it has no NETCONF. */
  readonly models?: DeviceModels;
  readonly groups?: () => readonly HsrpGroup[];
  /** Its port security, where it has any. */
  readonly secure?: SecureSwitch;
  readonly wall: Wall;
  readonly addresses: LabAddresses;
  readonly access: LabAccess;
  readonly answerMs: readonly [min: number, max: number];
}

export interface Host {
  /** Listens. Rejects with an OperatorError. */
  open(): Promise<void>;
  emit(event: DeviceEvent): void;
  powerOff(): void;
  /** No way to it: sessions hear nothing more, new ones are refused; what waits in it goes on waiting. */
  cutOff(): void;
  /** Listens again, after either. */
  powerOn(): Promise<void>;
  /** SSH and NETCONF accept and say nothing. */
  hang(): void;
  unhang(): void;
  /** What it sends is lost on the way. */
  silence(): void;
  unsilence(): void;
  stop(): void;
}

export function createHost(options: HostOptions): Host {
  const { device, commands, models, groups = () => [], secure, addresses, wall, access, answerMs } = options;
  const address = addresses[device.name];
  const cli = createCliService({ device, commands, wall, answerMs, enablePassword: access.enable.value });
  const netconf = models && createNetconfService(device, models, wall);
  const ssh = (port: number, services: SshServices) => createSshServer({ address, port, device: device.name, access, services });
  const fronts = [
    ssh(labPorts.ssh, { ...cli, ...netconf }),
    ...(netconf ? [ssh(labPorts.netconf, { netconf: netconf.netconf })] : []),
  ];
  const syslog = createSyslogSender(address, { address: addresses.offbox, port: labPorts.syslog });
  const snmp = createSnmpService(
    { device, groups, secure },
    access,
    { address, port: labPorts.snmp },
    { address: addresses.offbox, port: labPorts.trap },
  );
  let silent = false;

  return {
    async open() {
      // First the port that stays taken while the device is off: it tells another lab that these addresses are ours.
      await snmp.open();
      await syslog.open();
      for (const front of fronts) await front.open();
    },
    emit(event) {
      if (silent) return;
      if (event.kind === 'syslog') syslog.send(event.line);
      else snmp.trap(event);
    },
    powerOff() {
      netconf?.powerOff();
      for (const front of fronts) front.powerOff();
    },
    cutOff() {
      for (const front of fronts) front.powerOff();
    },
    async powerOn() {
      for (const front of fronts) front.reset();
      for (const front of fronts) await front.open();
    },
    hang: () => {
      for (const front of fronts) front.hold();
    },
    unhang: () => {
      for (const front of fronts) front.release();
    },
    silence: () => {
      silent = true;
    },
    unsilence: () => {
      silent = false;
    },
    stop() {
      for (const front of fronts) front.stop();
      syslog.stop();
      snmp.stop();
    },
  };
}
