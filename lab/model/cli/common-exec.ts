// Owns: the exec commands that every device takes.
import { interfaceName } from '../../../src/model/interface-name.ts';
import {
  showClock,
  showInterfaceConfig,
  showInterfacesBrief,
  showRunningConfig,
  showStartupConfig,
  showUsers,
  showVersion,
} from '../show/show-system.ts';
import { type ExecCommand, show } from './commands.ts';

const effect = (pattern: string, kind: 'enable' | 'disable' | 'configure' | 'close' | 'write-memory'): ExecCommand => ({
  pattern,
  run: () => ({ kind }),
});

export const commonUserCommands: readonly ExecCommand[] = [
  effect('enable', 'enable'),
  effect('exit', 'close'),
  effect('logout', 'close'),
  { pattern: 'terminal length <0-512>', run: (_, args) => ({ kind: 'page-length', lines: Number(args[0]) }) },
  // Echo is not wrapped here, so the width changes nothing; it is taken, as a device takes it.
  { pattern: 'terminal width <0-512>', run: () => ({ kind: 'print', text: '' }) },
  show('version', showVersion),
  show('clock', showClock),
  show('users', showUsers),
  show('ip interface brief', showInterfacesBrief),
];

export const commonPrivilegedCommands: readonly ExecCommand[] = [
  effect('disable', 'disable'),
  effect('configure terminal', 'configure'),
  effect('write', 'write-memory'),
  effect('write memory', 'write-memory'),
  show('running-config', showRunningConfig),
  show('running-config interface <interface>', (context, [name]) => showInterfaceConfig(context, interfaceName(name!))),
  show('startup-config', showStartupConfig),
];
