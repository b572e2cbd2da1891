// Owns: what a command line is made of: tables of commands by mode, bound to the device they are typed on.
import type { Operator } from '../chassis.ts';
import type { Config, ConfigChange } from '../config.ts';
import type { ShowContext } from '../show/show-context.ts';

/** What a command does beyond printing. */
export type ExecEffect =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'enable' | 'disable' | 'configure' | 'close' | 'write-memory' }
  | { readonly kind: 'page-length'; readonly lines: number }
  /** Changes a state that is not configuration; answers nothing. */
  | { readonly kind: 'act'; readonly act: (operator: Operator) => void };

export interface ExecCommand<C extends ShowContext = ShowContext> {
  readonly pattern: string;
  readonly run: (context: C, args: readonly string[]) => ExecEffect;
}

/** A command with its device in it. */
export interface BoundCommand {
  readonly pattern: string;
  readonly run: (args: readonly string[]) => ExecEffect;
}

export type ConfigEffect =
  /** `line`: the command in full, as the log keeps it. */
  | { readonly kind: 'change'; readonly change: ConfigChange; readonly line: string }
  /** Into a sub-mode; the parent lines are made where they are missing. */
  | { readonly kind: 'enter'; readonly path: readonly string[] }
  | { readonly kind: 'leave' }
  | { readonly kind: 'refuse'; readonly text: string };

export interface ConfigCommand {
  readonly pattern: string;
  readonly run: (place: Place, args: readonly string[]) => ConfigEffect;
}

/** Where the command is typed. */
export interface Place {
  readonly path: readonly string[];
  readonly running: Config;
}

export interface ConfigMode {
  /** As in the prompt: `(config-router)`. */
  readonly prompt: string;
  /** The mode's own commands, then those of global mode, which every mode takes. */
  readonly tables: readonly (readonly ConfigCommand[])[];
}

/** Everything that can be typed on one device. */
export interface Commands {
  /** As the banner says it. */
  readonly kind: 'router' | 'switch';
  readonly user: readonly BoundCommand[];
  readonly privileged: readonly BoundCommand[];
  readonly configMode: (path: readonly string[]) => ConfigMode;
}

export function bind<C extends ShowContext>(table: readonly ExecCommand<C>[], context: C): readonly BoundCommand[] {
  return table.map(({ pattern, run }) => ({ pattern, run: (args) => run(context, args) }));
}

export function show<C extends ShowContext>(
  pattern: string,
  text: (context: C, args: readonly string[]) => string,
): ExecCommand<C> {
  return { pattern: `show ${pattern}`, run: (context, args) => ({ kind: 'print', text: text(context, args) }) };
}
