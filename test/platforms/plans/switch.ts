// A Catalyst as far as its ports go: says what the show commands say, and does with a plan what it would do. Written from
// what the commands mean, not from the drivers: a line it does not know throws.
import { all, parseXml, textOf } from '../../../adapters/platforms/cisco-iosxe/xml.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';

export interface Secure {
  readonly port: string;
  readonly vlan: number;
  readonly mac: string;
  readonly type: 'SecureSticky' | 'SecureDynamic' | 'SecureConfigured';
}

export interface Learned {
  readonly port: string;
  readonly vlan: number;
  readonly mac: string;
  readonly type: 'DYNAMIC' | 'STATIC';
}

export interface Port {
  readonly trunk: boolean;
  readonly violation: 'shutdown' | 'restrict' | 'protect';
  readonly input: string | undefined;
  readonly output: string | undefined;
}

export interface Switch {
  readonly release: string;
  readonly policies: readonly string[];
  readonly ports: Readonly<Record<string, Port>>;
  readonly secure: readonly Secure[];
  readonly learned: readonly Learned[];
}

/** `52:54:00:00:00:01` as Cisco writes it. */
export const dotted = (mac: string): string => mac.replaceAll(':', '').replace(/(.{4})(.{4})(.{4})/, '$1.$2.$3');
const short = (port: string): string => port.replace('GigabitEthernet', 'Gi');
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);

/** Holds a dialogue with the switch. */
export function held<T>(dialogue: Dialogue<T>, box: Switch): T {
  let step = dialogue.next();
  while (!step.done) step = dialogue.next({ text: answer(box, step.value) });
  return step.value;
}

function answer(box: Switch, command: Command): string {
  if (command.kind === 'get-config') return configuredPolicies(box, command.filter);
  if (command.kind !== 'cli') throw new Error(`a ${command.kind} asks nothing`);
  const { line } = command;
  const portOf = (pattern: RegExp): string | undefined => pattern.exec(line)?.[1];
  const secured = portOf(/^show port-security interface (\S+)$/);
  const configured = portOf(/^show running-config interface (\S+)$/);
  const [, shown, direction] = /^show policy-map interface (\S+) (input|output)$/.exec(line) ?? [];
  if (line === 'show port-security address') return secureTable(box);
  if (line === 'show version') return `Cisco IOS XE Software, Version ${box.release}\n`;
  if (line === 'show policy-map') return box.policies.map((name) => `  Policy Map ${name}\n    Class class-default\n`).join('');
  if (line.startsWith('show mac address-table address ')) return macTable(box, line.split(' ').at(-1)!);
  if (secured) return portSecurity(box.ports[secured]!);
  if (configured) return runningConfig(box, configured);
  if (shown) return installed(shown, direction!, box.ports[shown]![direction as 'input' | 'output']);
  throw new Error(`% Invalid input: ${line}`);
}

function secureTable({ secure }: Switch): string {
  const rows = secure.map(({ vlan, mac, type, port }) => `${vlan}    ${dotted(mac)}    ${type}   ${short(port)}      -\n`);
  return `Vlan    Mac Address       Type     Ports   Remaining Age\n                            (mins)\n----    ----    ----    -----   ----\n${rows.join('')}----\nTotal Addresses in System (excluding one mac per port)     : 0\n`;
}

function macTable({ learned }: Switch, mac: string): string {
  const rows = learned.filter((row) => dotted(row.mac) === mac);
  const lines = rows.map(({ vlan, type, port }) => ` ${vlan}    ${mac}    ${type}     ${short(port)}\n`);
  const total = rows.length === 0 ? '' : `Total Mac Addresses for this criterion: ${rows.length}\n`;
  return `Vlan    Mac Address       Type        Ports\n----    -----------       --------    -----\n${lines.join('')}${total}`;
}

function portSecurity({ violation }: Port): string {
  return `Port Security : Enabled\nPort Status : Secure-up\nViolation Mode : ${capital(violation)}\nSecurity Violation Count : 0\n`;
}

function runningConfig(box: Switch, port: string): string {
  const { trunk, violation, input, output } = box.ports[port]!;
  const sticky = box.secure.filter((row) => row.port === port && row.type === 'SecureSticky');
  const lines = [
    ...(trunk ? ['switchport mode trunk'] : [`switchport access vlan ${accessVlan}`, 'switchport mode access']),
    ...(violation === 'shutdown' ? [] : [`switchport port-security violation ${violation}`]),
    'switchport port-security mac-address sticky',
    ...sticky.map(({ mac, vlan }) => `switchport port-security mac-address sticky ${dotted(mac)}${trunk ? ` vlan ${vlan}` : ''}`),
    ...(input ? [`service-policy input ${input}`] : []),
    ...(output ? [`service-policy output ${output}`] : []),
  ];
  return `Building configuration...\n\nCurrent configuration : 99 bytes\n!\ninterface ${port}\n${lines.map((line) => ` ${line}\n`).join('')}end\n\n`;
}

function installed(port: string, direction: string, policy: string | undefined): string {
  if (policy === undefined) return '';
  return ` ${port} \n\n  Service-policy ${direction}: ${policy}\n\n    Class-map: class-default (match-any)  \n      0 packets\n      Match: any \n`;
}

/** Of every port and policy-map: a filter is a wish that a server may answer with more. */
function configuredPolicies(box: Switch, filter: string): string {
  const asked = textOf(parseXml(filter), 'native', 'policy', 'policy-map', 'name');
  const maps = box.policies.filter((name) => name === asked).map((name) => `<policy-map><name>${name}</name></policy-map>`);
  const ports = Object.entries(box.ports).map(([name, { input, output }]) => {
    const leaves = `${input ? `<input>${input}</input>` : ''}${output ? `<output>${output}</output>` : ''}`;
    return `<GigabitEthernet><name>${name.replace('GigabitEthernet', '')}</name><service-policy>${leaves}</service-policy></GigabitEthernet>`;
  });
  return `<native><policy>${maps.join('')}</policy><interface>${ports.join('')}</interface></native>`;
}

/** The switch after a plan. */
export function applied(box: Switch, plan: readonly Command[]): Switch {
  return plan.reduce((before, command) => {
    if (command.kind === 'cli') return cleared(before, command.line);
    if (command.kind === 'rpc') return clearedByRpc(before, command.operation);
    if (command.kind === 'edit') return edited(before, command.config);
    if (command.kind === 'configure') return configured(before, command.lines);
    throw new Error(`a ${command.kind} changes nothing`);
  }, box);
}

function cleared(box: Switch, line: string): Switch {
  const [, table, mac, , vlan] =
    /^clear (port-security sticky|mac address-table dynamic) address ([0-9a-f]{4}(\.[0-9a-f]{4}){2})(?: vlan (\d+))?$/.exec(
      line,
    ) ?? [];
  if (!table) throw new Error(`% Invalid input: ${line}`);
  const hit = (row: Secure | Learned) => dotted(row.mac) === mac && (vlan === undefined || row.vlan === Number(vlan));
  if (table.startsWith('mac')) return { ...box, learned: box.learned.filter((row) => !(hit(row) && row.type === 'DYNAMIC')) };
  return { ...box, secure: box.secure.filter((row) => !(hit(row) && row.type === 'SecureSticky')) };
}

function clearedByRpc(box: Switch, operation: string): Switch {
  const request = all(parseXml(operation), 'clear-port-security');
  const mac =
    textOf(request, 'clear-port-security', 'mac-addr', 'mac-address') ?? textOf(request[0]!.children, 'mac-addr', 'mac-address');
  // No target, or no mode: everything goes. That is what the model says it means.
  if (mac === undefined || textOf(request[0]!.children, 'mode') !== 'md-sticky') return { ...box, secure: [] };
  const vlan = textOf(request[0]!.children, 'mac-addr', 'vlan', 'start-id');
  return cleared(box, `clear port-security sticky address ${dotted(mac)}${vlan === undefined ? '' : ` vlan ${vlan}`}`);
}

function edited(box: Switch, config: string): Switch {
  const [port] = all(parseXml(config), 'native', 'interface', 'GigabitEthernet');
  const name = `GigabitEthernet${textOf(port!.children, 'name')}`;
  const [leaf] = all(port!.children, 'service-policy')[0]!.children;
  const gone = leaf!.attributes.operation === 'remove';
  return withPort(box, name, { [leaf!.name]: gone ? undefined : leaf!.text });
}

function withPort(box: Switch, name: string, change: Partial<Port>): Switch {
  return { ...box, ports: { ...box.ports, [name]: { ...box.ports[name]!, ...change } } };
}

function configured(box: Switch, lines: readonly string[]): Switch {
  const port = /^interface (\S+)$/.exec(lines[0]!)?.[1];
  if (port === undefined || !box.ports[port]) throw new Error(`% Invalid input: ${lines[0]}`);
  return lines.slice(1).reduce((before, line) => underPort(before, port, line), box);
}

function underPort(box: Switch, name: string, line: string): Switch {
  const port = box.ports[name]!;
  const [, no, words] = /^(no )?(.*)$/.exec(line)!;
  const [, direction, policy] = /^service-policy (input|output) (\S+)$/.exec(words!) ?? [];
  const violation = /^switchport port-security violation(?: (shutdown|restrict|protect))?$/.exec(words!);
  const [, mac, , vlan] = /^switchport port-security mac-address sticky (\S{4}(\.\S{4}){2})(?: vlan (\d+))?$/.exec(words!) ?? [];
  if (direction) {
    const there = port[direction as 'input' | 'output'];
    // IOS refuses a second policy where one is attached, and to take off one that is not.
    if (no ? there !== policy : there !== undefined) throw new Error(`${line}: ${there} is attached`);
    return withPort(box, name, { [direction]: no ? undefined : policy });
  }
  if (violation) return withPort(box, name, { violation: no ? 'shutdown' : (violation[1] as Port['violation']) });
  if (mac && port.trunk === (vlan !== undefined)) {
    const hit = (row: Secure) =>
      row.port === name && dotted(row.mac) === mac && (vlan === undefined || row.vlan === Number(vlan));
    if (no) return { ...box, secure: box.secure.filter((row) => !hit(row)) };
    const colons = mac.replaceAll('.', '').match(/../g)!.join(':');
    return {
      ...box,
      secure: [...box.secure, { port: name, vlan: Number(vlan ?? accessVlan), mac: colons, type: 'SecureSticky' }],
    };
  }
  throw new Error(`% Invalid input: ${line}`);
}

/** Of every access port of this switch. */
export const accessVlan = 47;
