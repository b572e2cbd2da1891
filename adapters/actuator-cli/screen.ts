// Owns: what a terminal shows: bytes in, finished lines and the line the cursor is on out. Carriage returns, backspaces
// and ANSI escapes are obeyed where they move within a line and dropped where they colour it. Sans I/O, linear: every
// byte costs a constant, however the device edits its line. Bounding the bytes is the caller's.

const BEL = 0x07;
const BS = 0x08;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;
const SPACE = 0x20;
const DEL = 0x7f;
/** A control sequence longer than this is not one (ECMA-48 sequences are a few bytes). */
const sequenceCharsMax = 64;
const shownCharsMax = 512;

type Escape = 'none' | 'escape' | 'csi' | 'osc' | 'charset';
/** What the character after ESC begins. */
const opened: Readonly<Record<string, Escape>> = { '[': 'csi', ']': 'osc', '(': 'charset', ')': 'charset' };

export class Screen {
  readonly #decoder = new TextDecoder();
  #cells = new Uint16Array(256);
  #length = 0;
  #cursor = 0;
  #escape: Escape = 'none';
  #parameters = '';

  /** Takes bytes; hands each finished line to `finished`, in order. */
  feed(bytes: Uint8Array, finished: (line: string) => void): void {
    const characters = this.#decoder.decode(bytes, { stream: true });
    for (let index = 0; index < characters.length; index++) {
      const code = characters.charCodeAt(index);
      if (this.#escape !== 'none') this.#escaped(code);
      else if (code === LF) {
        finished(this.#text(this.#length));
        this.clear();
      } else if (code === CR) this.#cursor = 0;
      else if (code === BS) this.#cursor = Math.max(0, this.#cursor - 1);
      else if (code === ESC) this.#escape = 'escape';
      else if (code === TAB || (code >= SPACE && code !== DEL)) this.#write(code);
    }
  }

  /** The line the cursor is on, as it stands; of a long one the first 512 characters, so that looking costs a constant. */
  line(): string {
    return this.#text(Math.min(this.#length, shownCharsMax));
  }

  /** Forgets that line: a pager's mark that is about to be wiped, a prompt that is about to be typed on. */
  clear(): void {
    this.#length = 0;
    this.#cursor = 0;
  }

  #text(characters: number): string {
    return Buffer.from(this.#cells.buffer, 0, characters * 2).toString('utf16le');
  }

  #write(code: number): void {
    if (this.#cursor === this.#cells.length) {
      const wider = new Uint16Array(this.#cells.length * 2);
      wider.set(this.#cells);
      this.#cells = wider;
    }
    this.#cells[this.#cursor++] = code;
    this.#length = Math.max(this.#length, this.#cursor);
  }

  /** One code unit inside an escape sequence. */
  #escaped(code: number): void {
    if (this.#escape === 'escape') {
      this.#escape = opened[String.fromCharCode(code)] ?? 'none';
      this.#parameters = '';
    } else if (this.#escape === 'charset' || this.#parameters.length > sequenceCharsMax) this.#escape = 'none';
    else if (this.#escape === 'osc') {
      // Ends with BEL, or with ESC \ whose backslash the 'escape' state swallows.
      if (code === BEL) this.#escape = 'none';
      else if (code === ESC) this.#escape = 'escape';
      else this.#parameters += ' ';
    } else if (code >= 0x40 && code <= 0x7e) {
      this.#move(String.fromCharCode(code));
      this.#escape = 'none';
    } else if (code < SPACE) this.#escape = 'none';
    else this.#parameters += String.fromCharCode(code);
  }

  /** Within a line: erase (K), left (D), right (C), to a column (G). The rest is colour or scrolling. */
  #move(final: string): void {
    const count = Number.parseInt(this.#parameters, 10) || 0;
    if (final === 'K' && count === 2) this.clear();
    else if (final === 'K' && count === 0) this.#length = this.#cursor;
    else if (final === 'D') this.#cursor = Math.max(0, this.#cursor - (count || 1));
    else if (final === 'C') this.#cursor = Math.min(this.#length, this.#cursor + (count || 1));
    else if (final === 'G') this.#cursor = Math.min(this.#length, (count || 1) - 1);
  }
}
