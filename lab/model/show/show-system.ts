// Owns: `show running-config`, `show startup-config`, `show version`, `show clock`, `show users`, `show ip interface brief`.
import { type Config, renderConfig } from '../config.ts';
import { iosTime } from '../device-events.ts';
import { type ShowContext, spanText } from './show-context.ts';

const bytes = (text: string) => Buffer.byteLength(text) + 1;

export function showRunningConfig({ device }: ShowContext): string {
  const text = renderConfig(device.running);
  return `Building configuration...\n\nCurrent configuration : ${bytes(text)} bytes\n${text}`;
}

export function showStartupConfig({ device }: ShowContext): string {
  const text = renderConfig(device.startup);
  return `Using ${bytes(text)} out of 262144 bytes\n${text}`;
}

/** One interface's part of it: `show running-config interface Vlan10`. */
export function showInterfaceConfig({ device }: ShowContext, name: string): string {
  const part: Config = device.running.filter(({ line }) => line === `interface ${name}`);
  const text = renderConfig(part);
  return `Building configuration...\n\nCurrent configuration : ${bytes(text)} bytes\n${text}`;
}

export function showVersion({ device }: ShowContext): string {
  const software =
    device.platform === 'cisco-ios'
      ? 'Cisco IOS Software, IOSv Software (VIOS-ADVENTERPRISEK9-M), Version 15.9(3)M, RELEASE SOFTWARE (simulated by the Offbox lab)'
      : 'Cisco IOS XE Software, Version 17.09.04\nCisco IOS Software [Cupertino], Virtual XE Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 17.9.4, RELEASE SOFTWARE (simulated by the Offbox lab)';
  return `${software}\n\n${device.hostname()} uptime is ${spanText(device.uptimeMs())}\nSystem returned to ROM by power-on\n\nConfiguration register is 0x2102`;
}

/** `*` before the time: the clock was never set. */
export function showClock({ wall }: ShowContext): string {
  const at = wall.now();
  const [month, day, time] = iosTime(at).split(/\s+/);
  const date = new Date(at);
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][date.getUTCDay()];
  return `*${time} UTC ${weekday} ${month} ${day} ${date.getUTCFullYear()}`;
}

export function showUsers({ vtys, vty }: ShowContext): string {
  const rows = vtys().map(
    ({ line, user, from }) =>
      `${line === vty ? '*' : ' '}${String(line + 2).padStart(3)} vty ${line}     ${user.padEnd(10)} idle                 00:00:00 ${from}`,
  );
  return ['    Line       User       Host(s)              Idle       Location', ...rows].join('\n');
}

export function showInterfacesBrief({ device }: ShowContext): string {
  const rows = device.interfaces().map(({ name, address, shutdown, up }) => {
    const status = shutdown ? 'administratively down' : up ? 'up' : 'down';
    return `${name.padEnd(26)} ${(address ?? 'unassigned').padEnd(15)} YES NVRAM  ${status.padEnd(21)} ${up ? 'up' : 'down'}`;
  });
  return ['Interface                  IP-Address      OK? Method Status                Protocol', ...rows].join('\n');
}
