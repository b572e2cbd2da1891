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

export interface Prompt {
  readonly text: string;
  /** Off for a password. */
  readonly echo: 'on' | 'off';
}

export class Terminal {
  readonly #write: (text: string) => void;
  readonly #key: (key: Key) => void;
  #ahead = '';
  #line = '';
  #afterReturn = false;
  /** An escape sequence as far as it came. */
  #sequence = '';
  #prompt: Prompt = { text: '', echo: 'on' };
  #mode: 'busy' | 'typing' | 'more' = 'busy';
  #pages: { readonly lines: string[]; readonly length: number; readonly done: () => void } | undefined;
  #feeding = false;

  /** `key` gets a whole line, or a key that acts at once; the terminal is then busy until `ready`. */
  constructor(write: (text: string) => void, key: (key: Key) => void) {
    this.#write = write;
    this.#key = key;
  }

  /** How many columns the prompt takes, for the `^` below it. */
  get column(): number {
    return this.#prompt.text.length;
  }

  /** Whether it waits for a key, a screen that wants one included. */
  get idle(): boolean {
    return this.#mode !== 'busy' && !this.#feeding && this.#ahead === '';
  }

  input(text: string): void {
    this.#ahead += text.slice(0, Math.max(0, typedAheadCharsMax - this.#ahead.length));
    this.#feed();
  }

  /** Shows the prompt and takes input again; `kept` is put back on the line, as after `?`. */
  ready(prompt: Prompt, kept = ''): void {
    this.#prompt = prompt;
    this.#line = kept;
    this.#write(prompt.text + kept);
    this.#mode = 'typing';
    this.#feed();
  }

  /** Prints, a screen at a time where `length` is not 0; calls back when all is out or the reader had enough. */
  print(text: string, length: number, done: () => void): void {
    const lines = text === '' ? [] : text.split('\n');
    this.#pages = { lines, length, done };
    this.#page(length === 0 ? lines.length : length - 1);
  }

  #feed(): void {
    if (this.#feeding) return;
    this.#feeding = true;
    let at = 0;
    while (at < this.#ahead.length && this.#mode !== 'busy') {
      const char = this.#ahead[at++]!;
      const secondOfPair = char === '\n' && this.#afterReturn;
      this.#afterReturn = char === '\r';
      if (secondOfPair || this.#swallows(char)) continue;
      if (this.#mode === 'more') this.#turnPage(char);
      else this.#type(char);
    }
    this.#ahead = this.#ahead.slice(at);
    this.#feeding = false;
  }

  /** Cursor keys and their like: swallowed whole. */
  #swallows(char: string): boolean {
    const sofar = this.#sequence;
    if (char === '\x1b') this.#sequence = char;
    else if (sofar === '') return false;
    else if (sofar === '\x1b' && /[[O]/.test(char)) this.#sequence += char;
    else if (sofar.length > 1 && sofar.length < 16 && /[0-9;]/.test(char)) this.#sequence += char;
    else this.#sequence = '';
    return true;
  }

  #type(char: string): void {
    if (char === '\r' || char === '\n') this.#act('', { kind: 'line', line: this.#line });
    else if (char === '\b' || char === '\x7f') this.#erase(Math.min(1, this.#line.length));
    else if (char === '\x15') this.#erase(this.#line.length);
    else if (char === '\x17') this.#erase(this.#line.length - this.#line.trimEnd().replace(/\S+$/, '').length);
    else if (char === '\x03') this.#act('^C', { kind: 'ctrl-c' });
    else if (char === '\x1a') this.#act('^Z', { kind: 'ctrl-z' });
    else if (char === '?' && this.#prompt.echo === 'on') this.#act('?', { kind: 'help', line: this.#line });
    else if (char >= ' ' && this.#line.length < lineCharsMax) {
      this.#line += char;
      this.#echo(char);
    }
  }

  #act(shown: string, key: Key): void {
    this.#write(`${shown}\r\n`);
    this.#mode = 'busy';
    this.#line = '';
    this.#key(key);
  }

  #erase(count: number): void {
    this.#line = this.#line.slice(0, this.#line.length - count);
    this.#echo('\b \b'.repeat(count));
  }

  #echo(text: string): void {
    if (this.#prompt.echo === 'on') this.#write(text);
  }

  #page(count: number): void {
    const pages = this.#pages;
    if (!pages) return;
    for (const line of pages.lines.splice(0, count)) this.#write(`${line}\r\n`);
    if (pages.lines.length === 0) {
      this.#endPages();
      return;
    }
    this.#mode = 'more';
    this.#write(more);
  }

  #turnPage(char: string): void {
    this.#write(wipeMore);
    this.#mode = 'busy';
    if (char === ' ') this.#page((this.#pages?.length ?? 1) - 1);
    else if (char === '\r' || char === '\n') this.#page(1);
    else this.#endPages();
  }

  #endPages(): void {
    const done = this.#pages?.done;
    this.#pages = undefined;
    this.#mode = 'busy';
    done?.();
  }
}
