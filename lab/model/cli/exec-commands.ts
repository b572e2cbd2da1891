// Owns: the commands of user and privileged exec mode.
import { interfaceName } from '../../../src/model/interface-name.ts';
import { showAdvertised, showBgp, showBgpPrefix, showBgpSummary, showRoute } from '../show/show-bgp.ts';
import type { ShowContext } from '../show/show-context.ts';
import { showStandby, showStandbyBrief } from '../show/show-standby.ts';
import {
  showClock,
  showInterfaceConfig,
  showInterfacesBrief,
  showRunningConfig,
  showStartupConfig,
  showUsers,
  showVersion,
} from '../show/show-system.ts';

/** What a command does beyond printing. */
export type ExecEffect =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'enable' | 'disable' | 'configure' | 'close' | 'write-memory' }
  | { readonly kind: 'page-length'; readonly lines: number };

export interface ExecCommand {
  readonly pattern: string;
  readonly run: (context: ShowContext, args: readonly string[]) => ExecEffect;
}

const show = (pattern: string, text: (context: ShowContext, args: readonly string[]) => string): ExecCommand => ({
  pattern: `show ${pattern}`,
  run: (context, args) => ({ kind: 'print', text: text(context, args) }),
});
const effect = (pattern: string, kind: 'enable' | 'disable' | 'configure' | 'close' | 'write-memory'): ExecCommand => ({
  pattern,
  run: () => ({ kind }),
});

export const userCommands: readonly ExecCommand[] = [
  effect('enable', 'enable'),
  effect('exit', 'close'),
  effect('logout', 'close'),
  { pattern: 'terminal length <0-512>', run: (_, args) => ({ kind: 'page-length', lines: Number(args[0]) }) },
  // Echo is not wrapped here, so the width changes nothing; it is taken, as a device takes it.
  { pattern: 'terminal width <0-512>', run: () => ({ kind: 'print', text: '' }) },
  show('version', showVersion),
  show('clock', showClock),
  show('users', showUsers),
  show('standby', showStandby),
  show('standby brief', showStandbyBrief),
  show('ip interface brief', showInterfacesBrief),
  show('ip bgp', showBgp),
  show('ip bgp summary', showBgpSummary),
  show('ip bgp <address>', (context, [address]) => showBgpPrefix(context, address!, undefined)),
  show('ip bgp <address> <mask>', (context, [address, mask]) => showBgpPrefix(context, address!, mask)),
  show('ip bgp neighbors <address> advertised-routes', (context, [neighbor]) => showAdvertised(context, neighbor!)),
  show('ip route <address>', (context, [address]) => showRoute(context, address!)),
];

export const privilegedCommands: readonly ExecCommand[] = [
  ...userCommands,
  effect('disable', 'disable'),
  effect('configure terminal', 'configure'),
  effect('write', 'write-memory'),
  effect('write memory', 'write-memory'),
  show('running-config', showRunningConfig),
  show('running-config interface <interface>', (context, [name]) => showInterfaceConfig(context, interfaceName(name!))),
  show('startup-config', showStartupConfig),
];
