// Owns: the vty lines of one device, each with a shell on it.
import { createHash } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import type { Wall } from '../../src/ports/wall.ts';
import type { Chassis } from '../model/chassis.ts';
import type { Commands } from '../model/cli/commands.ts';
import { Shell } from '../model/cli/shell.ts';
import type { ShowContext, VtyLine } from '../model/show/show-context.ts';
import type { Conversation, Outlet } from './ssh-server.ts';

/** `line vty 0 15`: a seventeenth session is turned away, as on the device. */
const vtyLines = 16;

export interface CliServiceOptions {
  readonly device: Chassis;
  readonly commands: (context: ShowContext) => Commands;
  readonly wall: Wall;
  readonly enablePassword: string;
  /** Shortest and longest time the device takes to answer a command. */
  readonly answerMs: readonly [min: number, max: number];
}

export interface CliService {
  readonly shell: (outlet: Outlet) => Conversation | undefined;
  readonly exec: (outlet: Outlet, command: string) => Conversation | undefined;
}

export function createCliService(options: CliServiceOptions): CliService {
  const used = new Map<number, VtyLine>();
  let commands = 0;

  /** Spread over the range, the same in every run: a digest of a counter, not chance. */
  const answerMs = () => {
    const [min, max] = options.answerMs;
    const part = createHash('md5').update(`${options.device.name} ${commands++}`).digest().readUInt16BE() / 65_536;
    return Math.round(min + (max - min) * part);
  };
  const take = (outlet: Outlet): { readonly line: number; readonly shell: Shell } | undefined => {
    const line = Array.from({ length: vtyLines }, (_, i) => i).find((i) => !used.has(i));
    if (line === undefined) return undefined;
    used.set(line, { line, user: outlet.operator.user, from: outlet.operator.peer.replace(/:\d+$/, '') });
    const { device, wall, enablePassword } = options;
    const context = { device, wall, vtys: () => [...used.values()], vty: line };
    const commands = options.commands(context);
    const { write, close, operator } = outlet;
    return { line, shell: new Shell({ context, commands, operator, wall, enablePassword, answerMs, write, close }) };
  };
  const converse = (outlet: Outlet, start: (shell: Shell) => void): Conversation | undefined => {
    const taken = take(outlet);
    if (!taken) return undefined;
    const decoder = new StringDecoder('utf8');
    return {
      start: () => start(taken.shell),
      input: (bytes) => taken.shell.input(decoder.write(bytes)),
      eof: () => taken.shell.eof(),
      end: () => {
        used.delete(taken.line);
        taken.shell.end();
      },
    };
  };

  return {
    shell: (outlet) => converse(outlet, (shell) => shell.start()),
    exec: (outlet, command) => converse(outlet, (shell) => shell.exec(command, outlet.close)),
  };
}
