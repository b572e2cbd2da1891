// Owns: what a terminal shows: bytes in, finished lines and the line the cursor is on out. Carriage returns, backspaces
// and ANSI escapes are obeyed where they move within a line and dropped where they colour it. Sans I/O, linear: every
// byte costs a constant, however the device edits its line. Bounding the bytes is the caller's.

export interface Screen {
  /** Takes bytes; hands each finished line to `finished`, in order. */
  feed(bytes: Uint8Array, finished: (line: string) => void): void;
  /** The line the cursor is on, as it stands; of a long one the first 512 characters, so that looking costs a constant. */
  line(): string;
  /** Forgets that line: a pager's mark that is about to be wiped, a prompt that is about to be typed on. */
  clear(): void;
}

const BEL = 0x07;
const BS = 0x08;
const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;
/** A control sequence longer than this is not one (ECMA-48 sequences are a few bytes). */
const sequenceCharsMax = 64;
const shownCharsMax = 512;

type Escape = 'none' | 'escape' | 'csi' | 'osc' | 'charset';

export function screen(): Screen {
  const decoder = new TextDecoder();
  let cells = new Uint16Array(256);
  let length = 0;
  let cursor = 0;
  let state: Escape = 'none';
  let parameters = '';

  const text = (characters: number): string => Buffer.from(cells.buffer, 0, characters * 2).toString('utf16le');

  function write(code: number): void {
    if (cursor === cells.length) {
      const wider = new Uint16Array(cells.length * 2);
      wider.set(cells);
      cells = wider;
    }
    cells[cursor++] = code;
    if (cursor > length) length = cursor;
  }

  function clear(): void {
    length = 0;
    cursor = 0;
  }

  /** Within a line: erase to its end (K), left (D), right (C), to a column (G). The rest is colour or scrolling. */
  function control(final: string): void {
    const count = Number.parseInt(parameters, 10);
    if (final === 'K') {
      if (count === 2) clear();
      else if (!(count === 1)) length = cursor;
    } else if (final === 'D') cursor = Math.max(0, cursor - (count || 1));
    else if (final === 'C') cursor = Math.min(length, cursor + (count || 1));
    else if (final === 'G') cursor = Math.min(length, (count || 1) - 1);
  }

  /** One code unit inside an escape sequence. */
  function escaped(code: number): void {
    if (state === 'escape') {
      state = code === 0x5b ? 'csi' : code === 0x5d ? 'osc' : code === 0x28 || code === 0x29 ? 'charset' : 'none';
      parameters = '';
    } else if (state === 'charset') state = 'none';
    else if (state === 'osc') {
      // Ends with BEL, or with ESC \ whose backslash the 'escape' state swallows.
      if (code === BEL) state = 'none';
      else if (code === ESC) state = 'escape';
      else if (parameters.length > sequenceCharsMax) state = 'none';
      else parameters += ' ';
    } else if (code >= 0x40 && code <= 0x7e) {
      control(String.fromCharCode(code));
      state = 'none';
    } else if (code < 0x20 || parameters.length > sequenceCharsMax) state = 'none';
    else parameters += String.fromCharCode(code);
  }

  return {
    feed(bytes, finished) {
      const characters = decoder.decode(bytes, { stream: true });
      for (let index = 0; index < characters.length; index++) {
        const code = characters.charCodeAt(index);
        if (state !== 'none') escaped(code);
        else if (code === LF) {
          finished(text(length));
          clear();
        } else if (code === CR) cursor = 0;
        else if (code === BS) cursor = Math.max(0, cursor - 1);
        else if (code === ESC) state = 'escape';
        else if (code === 0x09 || (code >= 0x20 && code !== 0x7f)) write(code);
      }
    },
    line: () => text(Math.min(length, shownCharsMax)),
    clear,
  };
}
