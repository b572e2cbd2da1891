// Owns: one CLI session: modes, passwords, prompts, and the answers between them. Text in, text out.
import type { Wall } from '../../../src/ports/wall.ts';
import type { Operator } from '../device.ts';
import { type FilterName, filterNames, filterOutput } from '../show/output-filter.ts';
import type { ShowContext } from '../show/show-context.ts';
import { type ConfigEffect, configMode, type Place } from './config-commands.ts';
import { type ExecEffect, privilegedCommands, userCommands } from './exec-commands.ts';
import { type Matched, matchCommand, nextWords } from './grammar.ts';
import { createTerminal, type Key } from './terminal.ts';

export interface ShellOptions {
  readonly context: ShowContext;
  readonly operator: Operator;
  readonly wall: Wall;
  readonly enablePassword: string;
  /** How long the device thinks about the next command. */
  readonly answerMs: () => number;
  readonly write: (text: string) => void;
  /** The device hangs up. */
  readonly close: () => void;
}

export interface Shell {
  /** Banner and first prompt. */
  start(): void;
  input(text: string): void;
  /** One command without prompt or paging, as over an exec channel. */
  exec(line: string, done: () => void): void;
  /** Nothing more will be typed: hangs up once everything typed is answered. */
  eof(): void;
  /** The peer is gone; an unfinished configuration session ends without a word. */
  end(): void;
}

export const loginBanner = '\r\n*** Offbox lab: a simulated router. Break it as you like. ***\r\n\r\n';
/** IOS asks three times for the enable password. */
const passwordTriesMax = 3;

type Mode =
  | { readonly kind: 'user' | 'privileged' }
  | { readonly kind: 'config'; readonly path: readonly string[] }
  | { readonly kind: 'password'; readonly tries: number };

export function createShell(options: ShellOptions): Shell {
  const { context, operator, wall } = options;
  const { device } = context;
  let mode: Mode = { kind: 'user' };
  let pageLength = 24;
  let cancel: (() => void) | undefined;
  let ended = false;
  let commands: 'typed' | 'handed' = 'typed';
  let typedOut = false;

  const write = (text: string) => {
    if (!ended) options.write(text);
  };
  const promptText = () => {
    if (mode.kind === 'password') return 'Password: ';
    if (mode.kind === 'config') return `${device.hostname()}${configMode(mode.path).prompt}#`;
    return `${device.hostname()}${mode.kind === 'user' ? '>' : '#'}`;
  };
  const prompt = (kept?: string) => {
    terminal.ready({ text: promptText(), echo: mode.kind === 'password' ? 'off' : 'on', ...(kept ? { kept } : {}) });
    if (typedOut && terminal.idle) close();
  };
  const answer = (text: string) => terminal.print(text, pageLength, () => !ended && prompt());
  const close = () => {
    ended = true;
    options.close();
  };

  const leaveConfig = () => {
    mode = { kind: 'privileged' };
    const from = operator.peer.replace(/:\d+$/, '');
    device.syslog('SYS-5-CONFIG_I', `Configured from console by ${operator.user} on vty${context.vty} (${from})`);
  };

  const effects: Readonly<Record<Exclude<ExecEffect['kind'], 'print' | 'page-length'>, () => string>> = {
    enable: () => {
      if (mode.kind === 'user') mode = { kind: 'password', tries: 1 };
      return '';
    },
    disable: () => {
      mode = { kind: 'user' };
      return '';
    },
    configure: () => {
      mode = { kind: 'config', path: [] };
      return 'Enter configuration commands, one per line.  End with CNTL/Z.';
    },
    'write-memory': () => {
      device.writeMemory(operator);
      return 'Building configuration...\n[OK]';
    },
    close: () => {
      close();
      return '';
    },
  };

  const exec = (line: string): string => {
    const table = mode.kind === 'user' ? userCommands : privilegedCommands;
    const piped = splitPipe(line);
    const found = matchCommand(piped.command, table);
    if (found.kind !== 'match') return refusal(found, line, terminal.column);
    if (piped.kind === 'bad') return refusal({ kind: piped.why, at: piped.at }, line, terminal.column);
    const effect = found.command.run(context, found.args);
    if (effect.kind === 'page-length') pageLength = effect.lines;
    if (effect.kind === 'page-length') return '';
    if (effect.kind !== 'print') return effects[effect.kind]();
    return piped.kind === 'piped' ? filterOutput(effect.text, piped.filter, piped.pattern) : effect.text;
  };

  const configure = (line: string, path: readonly string[]): string => {
    if (/^\s*end\s*$/i.test(line)) {
      leaveConfig();
      return '';
    }
    const asked = /^(\s*do\s+)(\S.*)$/i.exec(line);
    // Blanks for the word, so that the `^` of a refusal keeps its place.
    if (asked) return exec(' '.repeat(asked[1]!.length) + asked[2]);
    const typed = line.replace(/^(\s*int\w*\s+[a-z]+)\s+(\d)/i, '$1$2');
    let first: Matched<unknown> | undefined;
    for (const table of configMode(path).tables) {
      const found = matchCommand(typed, table);
      if (found.kind === 'match')
        return perform(found.command.run({ path: first ? [] : path, running: device.running }, found.args), path);
      if (!first || (first.kind === 'invalid' && found.kind !== 'invalid')) first = found;
    }
    return refusal(first!, line, terminal.column);
  };

  const perform = (effect: ConfigEffect, path: Place['path']): string => {
    if (effect.kind === 'refuse') return effect.text;
    if (effect.kind === 'change') device.configure(effect.change, effect.line, operator);
    else if (effect.kind === 'leave') {
      if (path.length === 0) leaveConfig();
      else mode = { kind: 'config', path: path.slice(0, -1) };
    } else {
      effect.path.forEach((line, depth) => {
        const parents = effect.path.slice(0, depth);
        if (!hasLine(device.running, parents, line)) device.configure({ kind: 'set', path: parents, line }, line, operator);
      });
      mode = { kind: 'config', path: effect.path };
    }
    return '';
  };

  const password = (typed: string, tries: number): string => {
    if (typed === options.enablePassword) mode = { kind: 'privileged' };
    else if (tries < passwordTriesMax) mode = { kind: 'password', tries: tries + 1 };
    else {
      mode = { kind: 'user' };
      return '% Bad secrets\n';
    }
    return '';
  };

  const obey = (line: string): string => {
    if (mode.kind === 'password') return password(line, mode.tries);
    if (/^\s*!/.test(line)) return '';
    return mode.kind === 'config' ? configure(line, mode.path) : exec(line);
  };

  const help = (line: string) => {
    const tables =
      mode.kind === 'config' ? configMode(mode.path).tables : [mode.kind === 'user' ? userCommands : privilegedCommands];
    const words = [...new Set(tables.flatMap((table) => nextWords(line, table)))].sort();
    terminal.print(
      words.length > 0 ? `${words.map((word) => `  ${word}`).join('\n')}\n` : '% Unrecognized command',
      pageLength,
      () => prompt(line),
    );
  };

  const onKey = (key: Key) => {
    if (key.kind === 'ctrl-c' || key.kind === 'ctrl-z') {
      if (mode.kind === 'config' && key.kind === 'ctrl-z') leaveConfig();
      if (mode.kind === 'password') mode = { kind: 'user' };
      return prompt();
    }
    const { kind, line } = key;
    if (kind === 'help') return help(line);
    cancel = wall.after(options.answerMs(), () => {
      if (ended || !device.powered) return;
      const text = obey(line);
      if (!ended) answer(text);
    });
  };
  const terminal = createTerminal({ write, key: onKey });

  return {
    start() {
      write(loginBanner);
      prompt();
    },
    input: (text) => {
      if (!ended) terminal.input(text);
    },
    exec(line, done) {
      commands = 'handed';
      cancel = wall.after(options.answerMs(), () => {
        const text = obey(line);
        if (text !== '') write(`\r\n${text.replace(/\n/g, '\r\n')}\r\n`);
        done();
      });
    },
    eof() {
      typedOut = commands === 'typed';
      if (typedOut && terminal.idle && !ended) close();
    },
    end() {
      ended = true;
      cancel?.();
    },
  };
}

function hasLine(config: Place['running'], parents: readonly string[], line: string): boolean {
  let nodes = config;
  for (const parent of parents) nodes = nodes.find((node) => node.line === parent)?.children ?? [];
  return nodes.some((node) => node.line === line);
}

type Piped =
  | { readonly kind: 'plain'; readonly command: string }
  | { readonly kind: 'piped'; readonly command: string; readonly filter: FilterName; readonly pattern: string }
  | { readonly kind: 'bad'; readonly command: string; readonly why: 'incomplete' | 'invalid'; readonly at: number };

function splitPipe(line: string): Piped {
  const bar = line.indexOf('|');
  if (bar < 0) return { kind: 'plain', command: line };
  const command = line.slice(0, bar);
  const match = /^\s*(\S*)\s*(.*)$/.exec(line.slice(bar + 1))!;
  const word = match[1]!.toLowerCase();
  if (word === '') return { kind: 'bad', command, why: 'incomplete', at: 0 };
  const filter = filterNames.find((name) => name.startsWith(word));
  if (!filter) return { kind: 'bad', command, why: 'invalid', at: line.indexOf(match[1]!, bar) };
  if (match[2] === '') return { kind: 'bad', command, why: 'incomplete', at: 0 };
  return { kind: 'piped', command, filter, pattern: match[2]! };
}

/** IOS's three ways of saying no. The `^` stands below the character, the prompt counted. */
function refusal(found: { readonly kind: string; readonly at?: number }, line: string, column: number): string {
  if (found.kind === 'empty') return '';
  if (found.kind === 'incomplete') return '% Incomplete command.\n';
  if (found.kind === 'ambiguous') return `% Ambiguous command:  "${line.trim()}"`;
  return `${' '.repeat(column + (found.at ?? 0))}^\n% Invalid input detected at '^' marker.\n`;
}
