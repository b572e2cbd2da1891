// Owns: what SQLite will not say of its own log (-wal): how much of it cannot be read. After a crash SQLite reads the log
// up to the last whole transaction and drops the rest without a word; that rest may have been acknowledged.
//
// Format: https://sqlite.org/fileformat2.html#the_write_ahead_log (a 32-byte header, then frames of 24 bytes and a page).
// A log cut off at exactly a transaction's end looks like an older one and cannot be told from it.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

const headerBytes = 32;
const frameHeaderBytes = 24;
const magics = [0x377f0682, 0x377f0683];

export interface LogInspection {
  /** The header cannot be read: SQLite takes the whole log for empty. */
  readonly headless: boolean;
  readonly pageBytes: number;
  /** Frames of this round of the log, whole ones and a last one cut short; older rounds' left-overs carry other salts. */
  readonly frames: number;
  /** 1-based places of those that end a transaction. */
  readonly commits: readonly number[];
}

/** The checksum of the format: two sums over pairs of 32-bit words, in the byte order the magic names. */
function headerHolds(header: Buffer): boolean {
  const littleEndian = header.readUInt32BE(0) === magics[0];
  let [first, second] = [0, 0];
  for (let at = 0; at < 24; at += 8) {
    first = (first + (littleEndian ? header.readUInt32LE(at) : header.readUInt32BE(at)) + second) >>> 0;
    second = (second + (littleEndian ? header.readUInt32LE(at + 4) : header.readUInt32BE(at + 4)) + first) >>> 0;
  }
  return magics.includes(header.readUInt32BE(0)) && first === header.readUInt32BE(24) && second === header.readUInt32BE(28);
}

/** Undefined where there is no log, or an empty one. Reads headers only; call it before SQLite opens the file. */
export function inspectLog(path: string): LogInspection | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const header = Buffer.alloc(headerBytes);
    if (size === 0) return undefined;
    const whole = readSync(file, header, 0, headerBytes, 0) === headerBytes;
    const headless = !whole || !headerHolds(header);
    if (headless)
      return { headless, pageBytes: size, frames: size > headerBytes ? 1 : 0, commits: size > headerBytes ? [1] : [] };
    return { headless, ...framesOf(file, size, header) };
  } finally {
    closeSync(file);
  }
}

function framesOf(file: number, size: number, log: Buffer): Omit<LogInspection, 'headless'> {
  const pageBytes = log.readUInt32BE(8);
  const [salt1, salt2] = [log.readUInt32BE(16), log.readUInt32BE(20)];
  const commits: number[] = [];
  let frames = 0;
  const frame = Buffer.alloc(frameHeaderBytes);
  for (let index = 1, at = headerBytes; at + frameHeaderBytes <= size; index += 1, at += frameHeaderBytes + pageBytes) {
    readSync(file, frame, 0, frameHeaderBytes, at);
    // Either salt will do: a damaged byte spoils one of them, and another round's second salt is another random number.
    if (frame.readUInt32BE(8) !== salt1 && frame.readUInt32BE(12) !== salt2) continue;
    frames = index;
    if (frame.readUInt32BE(4) !== 0) commits.push(index);
  }
  return { pageBytes, frames, commits };
}

const copiesMax = 100;

/** Puts the log aside before SQLite writes over what it could not read. Undefined where too many copies lie there already. */
export function keepCopy(path: string): string | undefined {
  const log = readFileSync(path);
  for (let number = 1; number <= copiesMax; number += 1) {
    const copy = `${path}.damaged-${number}`;
    if (!existsSync(copy)) {
      writeFileSync(copy, log, { flush: true });
      return copy;
    }
    if (readFileSync(copy).equals(log)) return copy;
  }
  return undefined;
}
