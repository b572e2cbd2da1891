// Owns: one CLI session: modes, passwords, prompts, and the answers between them. Text in, text out.
import type { Wall } from '../../../src/ports/wall.ts';
import type { Chassis, Operator } from '../chassis.ts';
import { childrenOf } from '../config.ts';
import { type FilterName, filterNames, filterOutput } from '../show/output-filter.ts';
import type { ShowContext } from '../show/show-context.ts';
import type { Commands, ConfigEffect, ExecEffect } from './commands.ts';
import { type Matched, matchCommand, nextWords } from './grammar.ts';
import { type Key, Terminal } from './terminal.ts';

export interface ShellOptions {
  readonly context: ShowContext;
  readonly commands: Commands;
  readonly operator: Operator;
  readonly wall: Wall;
  readonly enablePassword: string;
  /** How long the device thinks about the next command. */
  readonly answerMs: () => number;
  readonly write: (text: string) => void;
  /** The device hangs up. */
  readonly close: () => void;
}

const loginBanner = (kind: Commands['kind']) => `\r\n*** Offbox lab: a simulated ${kind}. Break it as you like. ***\r\n\r\n`;
/** IOS asks three times for the enable password. */
const passwordTriesMax = 3;

type Mode =
  | { readonly kind: 'user' | 'privileged' }
  | { readonly kind: 'config'; readonly path: readonly string[] }
  | { readonly kind: 'password'; readonly tries: number };

export class Shell {
  readonly #options: ShellOptions;
  readonly #device: Chassis;
  readonly #terminal: Terminal;
  #mode: Mode = { kind: 'user' };
  #pageLength = 24;
  #cancelAnswer: (() => void) | undefined;
  #ended = false;
  /** Whether lines are typed, or one was handed over an exec channel. */
  #input: 'typed' | 'handed' = 'typed';
  #typedOut = false;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#device = options.context.device;
    this.#terminal = new Terminal(
      (text) => this.#write(text),
      (key) => this.#take(key),
    );
  }

  /** Banner and first prompt. */
  start(): void {
    this.#write(loginBanner(this.#options.commands.kind));
    this.#prompt();
  }

  input(text: string): void {
    if (!this.#ended) this.#terminal.input(text);
  }

  /** One command without prompt or paging, as over an exec channel. */
  exec(line: string, done: () => void): void {
    this.#input = 'handed';
    this.#answerLater(line, (text) => {
      if (text !== '') this.#write(`\r\n${text.replaceAll('\n', '\r\n')}\r\n`);
      done();
    });
  }

  /** Nothing more will be typed: hangs up once everything typed is answered. */
  eof(): void {
    this.#typedOut = this.#input === 'typed';
    this.#hangUpIfTypedOut();
  }

  /** The peer is gone; an unfinished configuration session ends without a word. */
  end(): void {
    this.#ended = true;
    this.#cancelAnswer?.();
  }

  #write(text: string): void {
    if (!this.#ended) this.#options.write(text);
  }

  #close(): void {
    this.#ended = true;
    this.#options.close();
  }

  #hangUpIfTypedOut(): void {
    if (this.#typedOut && this.#terminal.idle && !this.#ended) this.#close();
  }

  #prompt(kept = ''): void {
    const mode = this.#mode;
    const host = this.#device.hostname();
    if (mode.kind === 'password') this.#terminal.ready({ text: 'Password: ', echo: 'off' });
    else if (mode.kind === 'config')
      this.#terminal.ready({ text: `${host}${this.#options.commands.configMode(mode.path).prompt}#`, echo: 'on' }, kept);
    else this.#terminal.ready({ text: `${host}${mode.kind === 'user' ? '>' : '#'}`, echo: 'on' }, kept);
    this.#hangUpIfTypedOut();
  }

  #take(key: Key): void {
    if (key.kind === 'line') this.#answerLater(key.line, (text) => this.#print(text));
    else if (key.kind === 'help') this.#help(key.line);
    else {
      if (this.#mode.kind === 'config' && key.kind === 'ctrl-z') this.#leaveConfig();
      if (this.#mode.kind === 'password') this.#mode = { kind: 'user' };
      this.#prompt();
    }
  }

  #answerLater(line: string, give: (text: string) => void): void {
    this.#cancelAnswer = this.#options.wall.after(this.#options.answerMs(), () => {
      if (this.#ended || !this.#device.powered) return;
      const text = this.#obey(line);
      if (!this.#ended) give(text);
    });
  }

  #print(text: string, kept = ''): void {
    this.#terminal.print(text, this.#pageLength, () => {
      if (!this.#ended) this.#prompt(kept);
    });
  }

  #help(line: string): void {
    const mode = this.#mode;
    const tables = mode.kind === 'config' ? this.#options.commands.configMode(mode.path).tables : [this.#execTable()];
    const words = [...new Set(tables.flatMap((table) => nextWords(line, table)))].sort();
    this.#print(words.length > 0 ? `${words.map((word) => `  ${word}`).join('\n')}\n` : '% Unrecognized command', line);
  }

  /** What the device does and says for a line. */
  #obey(line: string): string {
    if (this.#mode.kind === 'password') return this.#password(line, this.#mode.tries);
    if (/^\s*!/.test(line)) return '';
    return this.#mode.kind === 'config' ? this.#configure(line, this.#mode.path) : this.#exec(line);
  }

  #password(typed: string, tries: number): string {
    if (typed === this.#options.enablePassword) this.#mode = { kind: 'privileged' };
    else if (tries < passwordTriesMax) this.#mode = { kind: 'password', tries: tries + 1 };
    else {
      this.#mode = { kind: 'user' };
      return '% Bad secrets\n';
    }
    return '';
  }

  #execTable() {
    const { user, privileged } = this.#options.commands;
    return this.#mode.kind === 'user' ? user : privileged;
  }

  #exec(line: string): string {
    const piped = splitPipe(line);
    const found = matchCommand(piped.command, this.#execTable());
    if (found.kind !== 'match') return refusal(found, line, this.#terminal.column);
    if (piped.kind === 'bad') return refusal({ kind: piped.why, at: piped.at }, line, this.#terminal.column);
    const text = this.#perform(found.command.run(found.args));
    return piped.kind === 'piped' ? filterOutput(text, piped.filter, piped.pattern) : text;
  }

  #perform(effect: ExecEffect): string {
    switch (effect.kind) {
      case 'print':
        return effect.text;
      case 'page-length':
        this.#pageLength = effect.lines;
        return '';
      case 'enable':
        if (this.#mode.kind === 'user') this.#mode = { kind: 'password', tries: 1 };
        return '';
      case 'disable':
        this.#mode = { kind: 'user' };
        return '';
      case 'configure':
        this.#mode = { kind: 'config', path: [] };
        return 'Enter configuration commands, one per line.  End with CNTL/Z.';
      case 'act':
        effect.act(this.#options.operator);
        return '';
      case 'write-memory':
        this.#device.writeMemory(this.#options.operator);
        return 'Building configuration...\n[OK]';
      case 'close':
        this.#close();
        return '';
    }
  }

  #leaveConfig(): void {
    const { operator, context } = this.#options;
    const from = operator.peer.replace(/:\d+$/, '');
    this.#mode = { kind: 'privileged' };
    this.#device.syslog('SYS-5-CONFIG_I', `Configured from console by ${operator.user} on vty${context.vty} (${from})`);
  }

  /** The mode's own commands first, then those of global mode, which lead out of it. */
  #configure(line: string, path: readonly string[]): string {
    if (/^\s*end\s*$/i.test(line)) {
      this.#leaveConfig();
      return '';
    }
    const asked = /^(\s*do\s+)(\S.*)$/i.exec(line);
    // Blanks for the word, so that the `^` of a refusal keeps its place.
    if (asked) return this.#exec(' '.repeat(asked[1]!.length) + asked[2]);
    // `interface Vlan 10` is `interface Vlan10`.
    const typed = line.replace(/^(\s*int\w*\s+[a-z]+)\s+(\d)/i, '$1$2');
    let first: Matched<unknown> | undefined;
    for (const table of this.#options.commands.configMode(path).tables) {
      const found = matchCommand(typed, table);
      if (found.kind === 'match') {
        const place = { path: first ? [] : path, running: this.#device.running };
        return this.#change(found.command.run(place, found.args), path);
      }
      if (!first || (first.kind === 'invalid' && found.kind !== 'invalid')) first = found;
    }
    return refusal(first!, line, this.#terminal.column);
  }

  #change(effect: ConfigEffect, path: readonly string[]): string {
    if (effect.kind === 'refuse') return effect.text;
    if (effect.kind === 'change') this.#device.configure(effect.change, effect.line, this.#options.operator);
    else if (effect.kind === 'enter') this.#enter(effect.path);
    else if (path.length === 0) this.#leaveConfig();
    else this.#mode = { kind: 'config', path: path.slice(0, -1) };
    return '';
  }

  #enter(path: readonly string[]): void {
    path.forEach((line, depth) => {
      const parents = path.slice(0, depth);
      const there = childrenOf(this.#device.running, ...parents).some((node) => node.line === line);
      if (!there) this.#device.configure({ kind: 'set', path: parents, line }, line, this.#options.operator);
    });
    this.#mode = { kind: 'config', path };
  }
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
