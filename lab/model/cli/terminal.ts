// Owns: the line discipline of a vty: echo, editing keys, typed-ahead input, paging. It knows no command.
//
// What is typed while a command runs waits, as on the device: it is echoed when its turn comes.

/** IOS takes 254 characters a line; room for a script's long regular expression. */
const lineCharsMax = 1024;
/** What may be typed ahead of a running command; beyond it the device drops what it cannot hold. */
const typedAheadCharsMax = 65_536;
const more = ' --More-- ';
/** How IOS wipes it: nine backspaces, eight blanks, nine backspaces. */
const wipeMore = `${'\b'.repeat(9)}${' '.repeat(8)}${'\b'.repeat(9)}`;

export type Key =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'help'; readonly line: string }
  | { readonly kind: 'ctrl-z' }
  | { readonly kind: 'ctrl-c' };

export interface TerminalOptions {
  readonly write: (text: string) => void;
  /** A whole line, or a key that acts at once. The terminal is busy until `ready` is called. */
  readonly key: (key: Key) => void;
}

export interface Terminal {
  input(text: string): void;
  /** Shows the prompt and takes input again; `kept` is put back on the line, as after `?`. */
  ready(prompt: { readonly text: string; readonly echo: 'on' | 'off'; readonly kept?: string }): void;
  /** Prints, a screen at a time where `length` is not 0; calls back when all is out or the reader had enough. */
  print(text: string, length: number, done: () => void): void;
  /** How many columns the prompt takes, for the `^` below it. */
  readonly column: number;
  /** Whether it waits for a key, a screen that wants one included. */
  readonly idle: boolean;
}

export function createTerminal({ write, key }: TerminalOptions): Terminal {
  let ahead = '';
  let line = '';
  let afterReturn = false;
  let sequence = '';
  let prompt = { text: '', echo: 'on' as 'on' | 'off' };
  let mode: 'busy' | 'typing' | 'more' = 'busy';
  let pages: { lines: string[]; length: number; done: () => void } | undefined;
  let feeding = false;

  const echo = (text: string) => {
    if (prompt.echo === 'on') write(text);
  };
  const give = (which: Key) => {
    mode = 'busy';
    line = '';
    key(which);
  };
  const erase = (count: number) => {
    line = line.slice(0, line.length - count);
    echo('\b \b'.repeat(count));
  };
  const control: Readonly<Record<string, () => void>> = {
    '\r': () => submit(),
    '\n': () => submit(),
    '\b': () => line && erase(1),
    '\x7f': () => line && erase(1),
    '\x15': () => erase(line.length),
    '\x17': () => erase(line.length - line.trimEnd().replace(/\S+$/, '').length),
    '\x03': () => {
      write('^C\r\n');
      give({ kind: 'ctrl-c' });
    },
    '\x1a': () => {
      write('^Z\r\n');
      give({ kind: 'ctrl-z' });
    },
    '?': () => {
      const typed = line;
      write(prompt.echo === 'on' ? '?\r\n' : '');
      if (prompt.echo === 'on') give({ kind: 'help', line: typed });
      else line += '?';
    },
  };
  const submit = () => {
    write('\r\n');
    give({ kind: 'line', line });
  };
  const type = (char: string) => {
    const act = control[char];
    if (act) return void act();
    if (char < ' ' || line.length >= lineCharsMax) return;
    line += char;
    echo(char);
  };

  const page = (count: number) => {
    if (!pages) return;
    const shown = pages.lines.splice(0, count);
    for (const each of shown) write(`${each}\r\n`);
    if (pages.lines.length > 0) {
      mode = 'more';
      write(more);
    } else endPages();
  };
  const endPages = () => {
    const done = pages?.done;
    pages = undefined;
    mode = 'busy';
    done?.();
  };
  const turn = (char: string) => {
    write(wipeMore);
    mode = 'busy';
    if (char === ' ') page(pages!.length - 1);
    else if (char === '\r' || char === '\n') page(1);
    else endPages();
  };

  /** Cursor keys and their like: swallowed whole. */
  const swallowed = (char: string): boolean => {
    if (char === '\x1b') sequence = char;
    else if (sequence === '\x1b' && /[[O]/.test(char)) sequence += char;
    else if (sequence.length > 1 && sequence.length < 16 && /[0-9;]/.test(char)) sequence += char;
    else if (sequence) {
      sequence = '';
      return true;
    } else return false;
    return true;
  };

  const feed = () => {
    if (feeding) return;
    feeding = true;
    let at = 0;
    while (at < ahead.length && mode !== 'busy') {
      const char = ahead[at++]!;
      const secondOfPair = char === '\n' && afterReturn;
      afterReturn = char === '\r';
      if (secondOfPair || swallowed(char)) continue;
      if (mode === 'more') turn(char);
      else type(char);
    }
    ahead = ahead.slice(at);
    feeding = false;
  };

  return {
    get column() {
      return prompt.text.length;
    },
    get idle() {
      return mode !== 'busy' && !feeding && ahead === '';
    },
    input(text) {
      ahead += text.slice(0, Math.max(0, typedAheadCharsMax - ahead.length));
      feed();
    },
    ready(next) {
      prompt = next;
      line = next.kept ?? '';
      write(next.text + line);
      mode = 'typing';
      feed();
    },
    print(text, length, done) {
      const lines = text === '' ? [] : text.split('\n');
      pages = { lines, length, done };
      page(length === 0 ? lines.length : length - 1);
    },
  };
}
