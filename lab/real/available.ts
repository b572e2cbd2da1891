// Owns: which programs the lab needs, the Debian package of each, and why a test that needs one must be skipped.
import { accessSync, constants } from 'node:fs';

/** Program to Debian 12 package. */
export const packageOf: Readonly<Record<string, string>> = {
  '/usr/bin/vtysh': 'frr',
  '/usr/lib/frr/zebra': 'frr',
  '/usr/lib/frr/bgpd': 'frr',
  '/usr/lib/frr/vrrpd': 'frr',
  '/usr/sbin/rsyslogd': 'rsyslog',
  '/usr/bin/logger': 'bsdutils',
  '/usr/sbin/sshd': 'openssh-server',
  '/usr/bin/ssh-keygen': 'openssh-client',
  '/usr/bin/snmptrap': 'snmp',
  '/usr/sbin/snmpd': 'snmpd',
  '/usr/sbin/nats-server': 'nats-server',
  '/usr/sbin/netconfd': 'netconfd',
  '/usr/sbin/netconf-subsystem': 'netconfd',
  '/usr/bin/ping': 'iputils-ping',
  '/usr/sbin/ip': 'iproute2',
  '/usr/sbin/libvirtd': 'libvirt-daemon',
  '/usr/bin/virt-qemu-run': 'libvirt-daemon-driver-qemu',
  '/usr/bin/virsh': 'libvirt-clients',
  '/usr/bin/qemu-system-x86_64': 'qemu-system-x86',
};

/** Set by install.ts where it could not install: why. */
export const notInstalledVariable = 'OFFBOX_LAB_NOT_INSTALLED';

export function missingOf(programs: readonly string[]): readonly string[] {
  return programs.filter((program) => {
    try {
      accessSync(program, constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}

export interface Needs {
  /** Absolute paths. */
  readonly programs: readonly string[];
  /** To make network namespaces, to listen on low ports. */
  readonly privilege: 'root' | 'none';
}

/** What a test that needs all of the real network needs. */
export const networkNeeds: Needs = {
  programs: Object.keys(packageOf).filter((program) => /frr|vtysh|rsyslogd|ssh|ping|\/ip$/.test(program)),
  privilege: 'root',
};

/** What a test of real libvirtds needs: they run as an unprivileged user, which only root can make them. */
export const hypervisorNeeds: Needs = {
  programs: Object.keys(packageOf).filter((program) => /libvirtd|virsh|virt-|qemu/.test(program)),
  privilege: 'root',
};

/** For `describe.skipIf(why)`: one sentence, or undefined where all is there. */
export function whySkipped(needs: Needs): string | undefined {
  if (needs.privilege === 'root' && process.getuid?.() !== 0) return 'needs root for network namespaces';
  const missing = missingOf(needs.programs);
  if (missing.length === 0) return undefined;
  return `no ${missing.join(', ')}: ${process.env[notInstalledVariable] ?? 'run npm run test:lab as root on Debian'}`;
}
