// Owns: a syslog message as text → its fields: PRI, RFC 5424, the tag (`%HSRP-5-STATECHANGE`, Junos, Huawei, Nokia) and
// the text behind it. What stands in front of the tag in the older form is header.ts. Sans I/O; laws H1 and H2 hold here too.
import type { SyslogFields } from '../../src/model/event.ts';
import { emptyHeader, type Header, parseHeader, skipSpaces } from './header.ts';

export interface ParsedSyslog {
  readonly fields: SyslogFields;
  /** The device's own timestamp as written, without the clock mark. */
  readonly deviceTime?: string;
  /** How many messages the sender has sent us, as IOS counts them right after PRI: tells loss better than `sequence`,
   * which also counts what `logging trap` held back. */
  readonly counter?: number;
}

/** What the text says once the tag is cut off. */
interface Body {
  readonly mnemonic: string | null;
  readonly text: string;
}

/** `%FACILITY[-SUBFACILITY…]-SEVERITY-MNEMONIC:`; IOS-XR and ASA put a space before the colon, small-business switches write
 * a letter for the severity, slots and members stand between (`SEC_LOGIN-SW2-5`). */
const ciscoTag = /%([A-Za-z0-9_]{1,40}(?:-[A-Za-z0-9_/]{1,40}){0,4}?-[0-7A-Z]-[A-Za-z0-9_]{1,64}) {0,2}:/y;
/** Huawei VRP and H3C Comware: `%%01IFNET/4/IF_STATE(l)[4997]:`, version before, (l)og or (t)rap and sequence behind. */
const huaweiTag = /%%\d{2}([A-Za-z0-9_-]{1,40}\/[0-7]\/[A-Za-z0-9_-]{1,64})(?:\([a-z]\))?(?:\[\d{1,10}\])? ?:/y;
/** Junos: `RPD_BGP_NEIGHBOR_STATE_CHANGED: `; at least one underscore, so that no shouted word is taken for one. */
const junosTag = /([A-Z][A-Z0-9]{0,31}(?:_[A-Z0-9]{1,32}){1,12}): /y;
/** Nokia SR OS: `11 Base SYSTEM-WARNING-ssiSaveConfigSucceeded-2002 [subject]:`: sequence, router, application-severity-name-id. */
const nokiaTag = /\d{1,10} \S{1,64} ([A-Z][A-Z0-9_]{0,31}-[A-Z]{1,16}-\w{1,64}-\d{1,6}) (?=\[)/y;
/** FRR 8 and later put an id before the text: `[W23ZH-NY264] `, and `[EC 33554454] ` with some. */
const frrId = /\[[0-9A-Z]{5}-[0-9A-Z]{5}\] ?(?:\[EC \d{1,10}\] ?)?/y;
/** rsyslog folds repetitions; the folded message is what happened. */
const repeated = /message repeated \d{1,9} times: \[ ?/y;
/** RFC 5424 with its version forgotten: four words and structured data or a dash behind the time. */
const headless5424 = / ?(?=\d{4}-\d{2}-\d{2}T\S{8,32} \S{1,255} [^\s:]{1,48} \S{1,128} \S{1,32} (?:-(?: |$)|\[\S))/y;
const version5424 = /[1-9]\d{0,2} (?=- |\d{4}-\d{2}-\d{2}T)/y;
/** A header nobody knows may still carry a tag: looked for this far. */
const strayTagWithin = 200;

const percent = 0x25;
const bracket = 0x5b;
const closing = 0x5d;
const quote = 0x22;
const backslash = 0x5c;

/** Without trailing line ends, NULs and spaces, which senders and framings leave behind. */
function trimmedEnd(message: string): string {
  let end = message.length;
  while (end > 0) {
    const code = message.charCodeAt(end - 1);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0) break;
    end -= 1;
  }
  return end === message.length ? message : message.slice(0, end);
}

/** `<PRI>` is one to three digits up to 191 (RFC 3164 4.1.1); anything else is text. -1 where there is none. */
function priOf(s: string): number {
  if (s.charCodeAt(0) !== 0x3c) return -1;
  const end = s.charCodeAt(2) === 0x3e ? 2 : s.charCodeAt(3) === 0x3e ? 3 : s.charCodeAt(4) === 0x3e ? 4 : -1;
  if (end < 0) return -1;
  let pri = 0;
  for (let at = 1; at < end; at += 1) {
    const digit = s.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    pri = pri * 10 + digit;
  }
  return pri <= 191 ? pri : -1;
}

function tagged(tag: RegExp, s: string, at: number): Body | null {
  tag.lastIndex = at;
  const match = tag.exec(s);
  return match ? { mnemonic: match[1]!, text: s.slice(skipSpaces(s, tag.lastIndex)) } : null;
}

const percentTag = (s: string, at: number): Body | null =>
  s.charCodeAt(at) !== percent ? null : (tagged(ciscoTag, s, at) ?? tagged(huaweiTag, s, at));

/** The text of a program: unfolded once, its id cut off, Junos and Nokia tags read. */
function programText(s: string, from: number): Body {
  repeated.lastIndex = from;
  if (!repeated.test(s) || s.charCodeAt(s.length - 1) !== closing) return plainText(s, from);
  const inner = s.slice(repeated.lastIndex, -1).trimEnd();
  return percentTag(inner, 0) ?? plainText(inner, 0);
}

function plainText(s: string, from: number): Body {
  const code = s.charCodeAt(from);
  if (code >= 0x41 && code <= 0x5a) return tagged(junosTag, s, from) ?? { mnemonic: null, text: s.slice(from) };
  if (code >= 0x30 && code <= 0x39) return tagged(nokiaTag, s, from) ?? { mnemonic: null, text: s.slice(from) };
  if (code !== bracket) return { mnemonic: null, text: s.slice(from) };
  frrId.lastIndex = from;
  return { mnemonic: null, text: s.slice(frrId.test(s) ? frrId.lastIndex : from) };
}

/** The first tag of a text whose header nobody knows. */
function strayTag(s: string, from: number): Body | null {
  const end = Math.min(s.length, from + strayTagWithin);
  for (let at = s.indexOf('%', from); at >= 0 && at < end; at = s.indexOf('%', at + 1)) {
    const body = at === from || s.charCodeAt(at - 1) === 0x20 ? percentTag(s, at) : null;
    if (body) return body;
  }
  return null;
}

/** Where a tag follows, a `word:` before it is the host, or the program where a host is known (Arista's agent). */
function settleName(h: Header, body: Body | null): void {
  if (h.name === null) return;
  if (body && h.host === null) h.host = h.name;
  else h.app ??= h.name;
}

/** Without a PRI the tag says the severity too, where it is a digit. */
function severityOf(mnemonic: string | null): number | null {
  if (mnemonic === null) return null;
  const last = mnemonic.lastIndexOf('-');
  const digit = mnemonic.charCodeAt(last - 1) - 0x30;
  return mnemonic.charCodeAt(last - 2) === 0x2d && digit >= 0 && digit <= 7 ? digit : null;
}

function parsed(pri: number, h: Header, { mnemonic, text }: Body): ParsedSyslog {
  const fields = {
    pri: pri < 0 ? null : pri,
    facility: pri < 0 ? null : pri >> 3,
    severity: pri < 0 ? severityOf(mnemonic) : pri & 7,
    mnemonic,
    host: h.host,
    app: h.app,
    text,
  };
  return {
    fields: h.sequence === undefined ? fields : { ...fields, sequence: h.sequence },
    ...(h.deviceTime === undefined ? {} : { deviceTime: h.deviceTime }),
    ...(h.counter === undefined ? {} : { counter: h.counter }),
  };
}

/** Behind the structured data at `at` (RFC 5424 6.3): elements without a space between, `\` escaping in values.
 * -1 where it never ends. */
function structuredDataEnd(s: string, from: number): number {
  let at = from;
  while (s.charCodeAt(at) === bracket) {
    let quoted = false;
    for (at += 1; at < s.length; at += 1) {
      const code = s.charCodeAt(at);
      if (quoted && code === backslash) at += 1;
      else if (code === quote) quoted = !quoted;
      else if (!quoted && code === closing) break;
    }
    if (at >= s.length) return -1;
    at += 1;
  }
  return at;
}

const nil = (word: string) => (word === '-' || word === '' ? null : word);

/** RFC 5424 behind its version. Senders leave words out: a `[` among them is the structured data, and what was the last
 * word then is the MSGID if it looks like one. */
function parse5424(s: string, pri: number, from: number): ParsedSyslog {
  const words: string[] = [];
  let at = from;
  while (words.length < 5 && at < s.length && !(words.length > 1 && s.charCodeAt(at) === bracket)) {
    const found = s.indexOf(' ', at);
    const end = found < 0 ? s.length : found;
    words.push(s.slice(at, end));
    at = Math.min(end + 1, s.length);
  }
  const [time = '', host = '', app = '', , fifth] = words;
  const last = fifth ?? (words.length > 3 ? words.at(-1)! : '');
  const id = nil(last);
  let text = at;
  if (s.charCodeAt(at) === bracket) text = structuredDataEnd(s, at);
  else if (s.charCodeAt(at) === 0x2d && (at + 1 === s.length || s.charCodeAt(at + 1) === 0x20)) text = at + 1;
  // An element that never ends, or nothing behind it (Junos "brief"): what is there is all there is to say.
  if (text < 0 || (text === s.length && s.charCodeAt(at) === bracket)) text = at;
  text = skipSpaces(s, text);
  if (s.charCodeAt(text) === 0xfeff) text += 1;
  if (s.startsWith('BOM%', text)) text += 3; // the RFC's placeholder, met in the wild
  const h: Header = { ...emptyHeader(text), host: nil(host), app: nil(app), deviceTime: nil(time) ?? undefined };
  const body = percentTag(s, text) ?? programText(s, text);
  return parsed(pri, h, { mnemonic: body.mnemonic ?? id, text: body.text });
}

/** The fields of one message. Never throws; what it does not understand is text. */
export function parseSyslog(message: string): ParsedSyslog {
  const s = trimmedEnd(message);
  const pri = priOf(s);
  const from = pri < 0 ? 0 : s.indexOf('>') + 1;
  if (pri >= 0) {
    for (const start of [version5424, headless5424]) {
      start.lastIndex = from;
      if (start.test(s)) return parse5424(s, pri, start.lastIndex);
    }
  }
  const h = parseHeader(s, from);
  const known = h.stamp === 'inner' || h.app !== null || h.name !== null;
  const body = percentTag(s, h.at) ?? (known ? null : strayTag(s, h.at));
  settleName(h, body);
  return parsed(pri, h, body ?? (h.app === null ? { mnemonic: null, text: s.slice(h.at) } : programText(s, h.at)));
}
