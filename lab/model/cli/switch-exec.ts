// Owns: the commands of a switch: those of every device, port security, MAC addresses, policies, VXLAN.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { SwitchContext } from '../show/show-context.ts';
import { showCef, showSwitchRoute } from '../show/show-forwarding.ts';
import { showClassMaps, showPolicyMapInterface, showPolicyMaps } from '../show/show-policy.ts';
import { showPortSecurity, showPortSecurityAddress, showPortSecurityInterface } from '../show/show-port-security.ts';
import { showInterfacesStatus, showMacTable, showNveVni, showSwitchport } from '../show/show-switching.ts';
import { macAddress } from '../switch/mac.ts';
import type { MacFilter } from '../switch/mac-table.ts';
import type { SecureFilter } from '../switch/port-security.ts';
import { bind, type Commands, type ExecCommand, show } from './commands.ts';
import { commonPrivilegedCommands, commonUserCommands } from './common-exec.ts';
import { switchConfigMode } from './switch-config.ts';

const named = (written: string) => interfaceName(written);
const mac = (written: string) => macAddress(written)!;
const inVlan = (written: string) => (vlan: number) => vlan === Number(written);

const macTableCommands: readonly ExecCommand<SwitchContext>[] = (['', ' dynamic', ' static'] as const).flatMap((word) => {
  const type = word === '' ? {} : { type: word.trim() as 'dynamic' | 'static' };
  return [
    show<SwitchContext>(`mac address-table${word}`, (context) => showMacTable(context, type)),
    show<SwitchContext>(`mac address-table${word} address <mac>`, (context, [address]) =>
      showMacTable(context, { ...type, mac: mac(address!) }),
    ),
    show<SwitchContext>(`mac address-table${word} address <mac> vlan <1-4094>`, (context, [address, vlan]) =>
      showMacTable(context, { ...type, mac: mac(address!), vlan: Number(vlan) }),
    ),
    show<SwitchContext>(`mac address-table${word} interface <interface>`, (context, [port]) =>
      showMacTable(context, { ...type, port: named(port!) }),
    ),
    show<SwitchContext>(`mac address-table${word} vlan <1-4094>`, (context, [vlan]) =>
      showMacTable(context, { ...type, vlan: Number(vlan) }),
    ),
  ];
});

const userCommands: readonly ExecCommand<SwitchContext>[] = [
  ...commonUserCommands,
  ...macTableCommands,
  show('interfaces status', showInterfacesStatus),
  show('interfaces <interface> switchport', (context, [port]) => showSwitchport(context, named(port!))),
  show('class-map', showClassMaps),
  show('policy-map', (context) => showPolicyMaps(context)),
  show('policy-map interface <interface>', (context, [port]) => showPolicyMapInterface(context, named(port!))),
  ...(['input', 'output'] as const).map((direction) =>
    show<SwitchContext>(`policy-map interface <interface> ${direction}`, (context, [port]) =>
      showPolicyMapInterface(context, named(port!), direction),
    ),
  ),
  show('policy-map <word>', (context, [name]) => showPolicyMaps(context, name)),
  show('nve vni', showNveVni),
  show('ip route <address>', (context, [address]) => showSwitchRoute(context, address!)),
  show('ip cef <address>', (context, [address]) => showCef(context, address!)),
];

/** The command in full, as the log keeps it. */
function clear<F>(
  pattern: string,
  filter: (args: readonly string[]) => F,
  act: (context: SwitchContext, filter: F, line: string) => ReturnType<ExecCommand['run']>,
): ExecCommand<SwitchContext> {
  const written = (args: readonly string[]) => {
    const words = [...args];
    return pattern.replace(/<[^>]+>/g, (token) => {
      const word = words.shift()!;
      return token === '<interface>' ? named(word) : word.toLowerCase();
    });
  };
  return { pattern, run: (context, args) => act(context, filter(args), written(args)) };
}

function clearSecure(pattern: string, filter: (args: readonly string[]) => SecureFilter): ExecCommand<SwitchContext> {
  return clear(pattern, filter, ({ device }, chosen, line) => {
    return { kind: 'act', act: (operator) => device.clearSecure(chosen, line, operator) };
  });
}

function clearMacs(pattern: string, filter: (args: readonly string[]) => MacFilter): ExecCommand<SwitchContext> {
  return clear(pattern, filter, ({ device }, chosen, line) => {
    return { kind: 'act', act: (operator) => device.clearMacs(chosen, line, operator) };
  });
}

const secureCommands = (['all', 'configured', 'dynamic', 'sticky'] as const).flatMap((word) => {
  const type = word === 'all' ? {} : { type: word };
  const start = `clear port-security ${word}`;
  return [
    clearSecure(start, () => type),
    clearSecure(`${start} address <mac>`, ([address]) => ({ ...type, mac: mac(address!) })),
    clearSecure(`${start} address <mac> vlan <1-4094>`, ([address, vlan]) => {
      return { ...type, mac: mac(address!), vlans: inVlan(vlan!) };
    }),
    clearSecure(`${start} interface <interface>`, ([port]) => ({ ...type, port: named(port!) })),
    clearSecure(`${start} interface <interface> vlan <1-4094>`, ([port, vlan]) => {
      return { ...type, port: named(port!), vlans: inVlan(vlan!) };
    }),
  ];
});

const privilegedCommands: readonly ExecCommand<SwitchContext>[] = [
  ...userCommands,
  ...commonPrivilegedCommands,
  show('port-security', showPortSecurity),
  show('port-security address', (context) => showPortSecurityAddress(context)),
  show('port-security interface <interface>', (context, [port]) => showPortSecurityInterface(context, named(port!))),
  show('port-security interface <interface> address', (context, [port]) => showPortSecurityAddress(context, named(port!))),
  ...secureCommands,
  clearMacs('clear mac address-table dynamic', () => ({})),
  clearMacs('clear mac address-table dynamic address <mac>', ([address]) => ({ mac: mac(address!) })),
  clearMacs('clear mac address-table dynamic address <mac> vlan <1-4094>', ([address, vlan]) => {
    return { mac: mac(address!), vlan: Number(vlan) };
  }),
  clearMacs('clear mac address-table dynamic interface <interface>', ([port]) => ({ port: named(port!) })),
  clearMacs('clear mac address-table dynamic vlan <1-4094>', ([vlan]) => ({ vlan: Number(vlan) })),
];

export function switchCommands(context: SwitchContext): Commands {
  return {
    kind: 'switch',
    user: bind(userCommands, context),
    privileged: bind(privilegedCommands, context),
    configMode: switchConfigMode(context.device),
  };
}
