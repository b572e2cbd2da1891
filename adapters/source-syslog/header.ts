// Owns: the part of a BSD-style syslog message in front of its text: RFC 3164 as it is written, and what Cisco IOS,
// NX-OS, IOS-XR, ASA, Arista EOS, Junos, Huawei and their relays put there. Sans I/O.
//
// H1. Tolerant: a part it does not know begins the text. It never rejects and never throws.
// H2. Linear: every part is read once, forwards, by hand or by a sticky expression of bounded repetition; there are at
//     most `partsMax` parts of at most `tokenMax` characters.
// H3. Innermost wins: a relay writes its own stamp and host in front of the device's; the later ones are the device's.

/** What was found; `at` is where the text (or its `%` tag) begins. */
export interface Header {
  at: number;
  host: string | null;
  app: string | null;
  /** A `word:` that is the host if a stamp or a tag follows and the program if text does. */
  name: string | null;
  deviceTime: string | undefined;
  /** IOS counts the messages it sent to this host right after PRI (`<189>46: `). */
  counter: number | undefined;
  /** IOS `service sequence-numbers` (`000048: `). */
  sequence: number | undefined;
  /** `outer`: a stamp ended by a space, a host comes next. `inner`: one ended by a colon, the tag or the text comes next. */
  stamp: 'none' | 'outer' | 'inner';
  /** A stamp ended by a space came and its host did not yet. */
  hostOpen: boolean;
  /** Something only a network device writes came before: a word behind the stamp is then a time zone, not a host. */
  device: boolean;
}

/** Two stamps, two hosts, two numbers, a node, a process, a task and two NX-OS contexts are 11. */
const partsMax = 16;
/** RFC 5424 gives a host name 255. */
const tokenMax = 255;

const space = 0x20;
const percent = 0x25;
const star = 0x2a;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;

const digitAt = (s: string, at: number) => {
  const code = s.charCodeAt(at);
  return code >= zero && code <= nine;
};

/** `Mmm dd [YYYY] hh:mm:ss[.frac]`, NX-OS `YYYY Mmm dd …`. */
const namedMonth = /(?:\d{4} )?[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?/y;
/** RFC 3339, and Huawei's `2018-7-23 01:00:34.270.1`. */
const numbered = /\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?/y;
/** IOS time since boot: `00:12:09`, `1d02h`, `2y10w`, and the short `101 21`. */
const uptime = /(?:\d{1,3}:\d{2}:\d{2}(?:\.\d{1,6})?|\d{1,3}[ywd]\d{1,2}[wdh]|\d{1,3} \d{1,2})(?= ?: )/y;
/** ` UTC`, ` mdt`, ` UTC+07:30` up to the colon that ends a device's stamp. */
const zone = / [A-Za-z]{1,9}(?:[+-]\d{1,2}(?::?\d{2})?)?(?= ?:(?: |$|%))/y;
/** The same where it could as well be a host (`localhost:`, from an ASA). */
const sureZone = / (?:[A-Z]{3,5}|[A-Za-z]{1,9}[+-]\d{1,2}(?::?\d{2})?)(?= ?:(?: |$|%))/y;
/** IOS-XR: `RP/0/RSP1/CPU0:`, `0/RP0/ADMIN0:`; no space follows. */
const node = /(?:[A-Z]{1,4}\d{0,3}\/)?\d{1,3}\/[A-Z0-9]{1,8}\/[A-Z0-9]{1,8}:/y;
/** `bgp[1051]: ` */
const process = /([\w./-]{1,48})\[\d{1,10}\]: */y;

/** The end of what the sticky expression matches at `at`, or -1. */
function endOf(expression: RegExp, s: string, at: number): number {
  expression.lastIndex = at;
  return expression.test(s) ? expression.lastIndex : -1;
}

/** The end of the timestamp at `at`, without mark and zone, or -1. */
function stampEnd(s: string, at: number): number {
  if (!digitAt(s, at)) return endOf(namedMonth, s, at);
  if (!digitAt(s, at + 3)) return endOf(uptime, s, at);
  const code = s.charCodeAt(at + 4);
  if (code === space) return endOf(namedMonth, s, at);
  return code === 0x2d ? endOf(numbered, s, at) : endOf(uptime, s, at);
}

/** Whether a stamp (with or without its clock mark) begins at `at`. */
function stampAt(s: string, at: number): boolean {
  const code = s.charCodeAt(at);
  return stampEnd(s, code === star || code === dot ? at + 1 : at) >= 0;
}

export function skipSpaces(s: string, from: number): number {
  let at = from;
  while (s.charCodeAt(at) === space) at += 1;
  return at;
}

/** Behind the colon (or ` :`) that ends a part at `at`, or -1 where none does. */
function colonEnd(s: string, at: number): number {
  const mark = s.charCodeAt(at) === space ? at + 1 : at;
  if (s.charCodeAt(mark) !== colon) return -1;
  const next = s.charCodeAt(mark + 1);
  return Number.isNaN(next) || next === space || next === percent ? mark + 1 : -1;
}

/** Clock marks are data too coarse to keep: `*` never set, `.` lost its NTP server. The stamp is kept as written. */
function takeStamp(s: string, h: Header): boolean {
  const code = s.charCodeAt(h.at);
  const marked = code === star || code === dot;
  const from = marked ? h.at + 1 : h.at;
  const end = stampEnd(s, from);
  if (end < 0) return false;
  const yearFirst = digitAt(s, from) && s.charCodeAt(from + 4) === space;
  const sure = marked || yearFirst || h.device || h.name !== null || h.stamp !== 'none';
  const zoned = s.charCodeAt(end) === space ? endOf(sure ? zone : sureZone, s, end) : -1;
  const last = zoned < 0 ? end : zoned;
  const behind = colonEnd(s, last);
  const next = s.charCodeAt(last);
  if (behind < 0 && next !== space && !Number.isNaN(next)) return false;
  h.deviceTime = s.slice(from, last);
  if (h.name !== null) h.host = h.name;
  h.name = null;
  h.at = behind < 0 ? last : behind;
  h.stamp = behind < 0 ? 'outer' : 'inner';
  h.hostOpen = behind < 0;
  return true;
}

/** `46: ` and `000048: `. Behind a `word:` it is one only if a stamp or a tag follows: `app: 42: text` has none. */
function takeNumber(s: string, h: Header): boolean {
  let end = h.at;
  while (end - h.at < 11 && digitAt(s, end)) end += 1;
  if (end === h.at || end - h.at > 10 || s.charCodeAt(end) !== colon) return false;
  const next = s.charCodeAt(end + 1);
  if (!Number.isNaN(next) && next !== space) return false;
  if (h.name !== null) {
    const behind = skipSpaces(s, end + 1);
    if (s.charCodeAt(behind) !== percent && !stampAt(s, behind)) return false;
  }
  const value = Number(s.slice(h.at, end));
  const padded = s.charCodeAt(h.at) === zero && end - h.at > 1;
  if (h.device || padded) h.sequence = value;
  else h.counter = value;
  h.device = true;
  h.at = end + 1;
  return true;
}

/** NX-OS: `%$ VDC-1 %$` and `%$ VRF x %$` between host and tag. */
function takeContext(s: string, h: Header): boolean {
  if (s.charCodeAt(h.at + 1) !== 0x24) return false;
  const end = s.slice(h.at + 2, h.at + 2 + tokenMax).indexOf('%$');
  if (end < 0) return false;
  h.at += end + 4;
  return true;
}

/** `word:`. Says whether the header goes on. */
function takeName(word: string, end: number, h: Header): boolean {
  if (word.charCodeAt(0) === star && h.app === null) {
    h.app = word.slice(1); // a wireless controller's task: `*spamApTask1:`
    h.at = end;
    return true;
  }
  if (h.name !== null) return false;
  h.at = end;
  const pid = word.indexOf('[');
  if (pid > 0) {
    h.app = word.slice(0, pid);
    return false;
  }
  h.name = word;
  return true;
}

/** A word and what it is by what stands around it. Says whether the header goes on. */
function takeWord(s: string, h: Header): boolean {
  const found = s.indexOf(' ', h.at);
  const end = found < 0 ? s.length : found;
  if (end === h.at || end - h.at > tokenMax) return false;
  if (s.charCodeAt(end - 1) === colon && end - h.at > 1) return takeName(s.slice(h.at, end - 1), end, h);
  if (found < 0 || h.name !== null) return false;
  const next = skipSpaces(s, end);
  const word = s.slice(h.at, end);
  if (!h.hostOpen && h.stamp === 'outer' && /^fpc\d{1,3}$/.test(word)) {
    h.app = word; // Junos: a line card speaks without a colon
    h.at = next;
    return false;
  }
  if (!h.hostOpen && endOf(node, s, next) < 0 && !stampAt(s, next)) return false;
  h.host = word;
  h.hostOpen = false;
  h.at = end;
  return true;
}

/** The next part. False where the text begins. */
function takePart(s: string, h: Header): boolean {
  h.at = skipSpaces(s, h.at);
  const code = s.charCodeAt(h.at);
  if (code === percent) return takeContext(s, h);
  if (Number.isNaN(code)) return false;
  if (h.stamp === 'inner') {
    process.lastIndex = h.at;
    const match = process.exec(s);
    if (match) {
      h.app = match[1]!;
      h.at = process.lastIndex;
    }
    return false;
  }
  if (code === colon && h.name === null) {
    const behind = colonEnd(s, h.at);
    if (behind < 0) return false;
    h.at = behind;
    h.device = true;
    return true;
  }
  if (takeStamp(s, h)) return true;
  if (digitAt(s, h.at) && takeNumber(s, h)) return true;
  const nodeEnd = endOf(node, s, h.at);
  if (nodeEnd < 0) return takeWord(s, h);
  h.at = nodeEnd;
  h.device = true;
  return true;
}

export function emptyHeader(at: number): Header {
  return {
    at,
    host: null,
    app: null,
    name: null,
    deviceTime: undefined,
    counter: undefined,
    sequence: undefined,
    stamp: 'none',
    hostOpen: false,
    device: false,
  };
}

export function parseHeader(s: string, from: number): Header {
  const h = emptyHeader(from);
  for (let part = 0; part < partsMax; part += 1) if (!takePart(s, h)) break;
  h.at = skipSpaces(s, h.at);
  return h;
}
