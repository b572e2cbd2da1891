// Owns: an event that was written down as JSON where it was received, in another thread. Most events wake nobody: what they
// are found by is at hand, and the rest is read only when somebody asks.
import type { Entry, NewEntry } from './entry.ts';
import type { Event, Origin, SyslogFields } from './event.ts';
import { journalEntryBytesMax } from './limits.ts';
import type { Meaning, MeaningKind } from './meaning.ts';

/** What an event is found by, without reading it. */
export interface EventBrief {
  /** The sender's address. */
  readonly peer: string;
  /** The host as the message names it. */
  readonly host: string | null;
  readonly mnemonic: string | null;
  readonly meaning: MeaningKind | null;
}

export class WrittenEvent implements Event {
  readonly brief: EventBrief;
  #target: string | undefined;
  /** The event without a target: an object, or the array that compactOf() makes; and that array, where it was read from a journal. */
  readonly #json: string | Compact;
  #read: Event | undefined;

  constructor(brief: EventBrief, json: string | Compact, target?: string) {
    this.brief = brief;
    this.#target = target;
    this.#json = json;
  }

  get meaning(): Event['meaning'] {
    return this.#whole().meaning;
  }

  get syslog(): Event['syslog'] {
    return this.#whole().syslog;
  }

  get snmp(): Event['snmp'] {
    return this.#whole().snmp;
  }

  get because(): Event['because'] {
    return this.#whole().because;
  }

  get origin(): Event['origin'] {
    return this.#whole().origin;
  }

  get target(): string | undefined {
    return this.#target;
  }

  /** Whose it is, found out on admission; before anybody has read it. */
  belongsTo(target: string): this {
    this.#target = target;
    return this;
  }

  /** The entry that it becomes, as entryOf() takes it. */
  entryJson(at: number): string {
    const json = typeof this.#json === 'string' ? this.#json : JSON.stringify(this.#json);
    if (json.startsWith('['))
      return `[${at},${this.#target === undefined ? 'null' : JSON.stringify(this.#target)},${json.slice(1)}`;
    const target = this.#target === undefined ? '' : `"target":${JSON.stringify(this.#target)},`;
    return `{"kind":"event","event":{${target}${json.slice(1)},"at":${at}}`;
  }

  /** Of the entry that it becomes, bytes as UTF-8: exactly where it comes near `near`, else more than it has. */
  bytesMost(near: number): number {
    const letters = typeof this.#json === 'string' ? this.#json.length + (this.#target?.length ?? 0) : near;
    return letters * 3 + 256 < near ? letters * 3 + 256 : Buffer.byteLength(this.entryJson(0));
  }

  /** As plain data. */
  toJSON(): Event {
    return this.#whole();
  }

  #whole(): Event {
    if (!this.#read) {
      const read: unknown = typeof this.#json === 'string' ? JSON.parse(this.#json) : this.#json;
      const target = this.#target === undefined ? {} : { target: this.#target };
      this.#read = Array.isArray(read) ? expanded(read as unknown as Compact, this.#target) : { ...target, ...(read as Event) };
    }
    return this.#read;
  }
}

/** What an event means, without reading it where that is at hand. */
export function kindOf(event: Event): MeaningKind | null {
  return event instanceof WrittenEvent ? event.brief.meaning : (event.meaning?.kind ?? null);
}

/**
 * A syslog event in few words, as a JSON array: what its fields are is a piece of the message, and where it lies is all there is to
 * write. Undefined where one is not; then it is written whole.
 */
export function compactOf({ syslog, origin, meaning }: Event & { readonly syslog: SyslogFields }): string | undefined {
  const { pri, mnemonic, host, app, text, sequence = -1 } = syslog;
  const { peer, transport, trust, deviceTime = null, raw } = origin;
  const textAt = raw.endsWith(text) ? raw.length - text.length : raw.indexOf(text);
  const [where, what, by, when] = [place(raw, mnemonic), place(raw, host), place(raw, app), place(raw, deviceTime)];
  if (pri === null || textAt < 0 || where === '' || what === '' || by === '' || when === '') return undefined;
  const places = `${where},${what},${by},${when},${textAt},${text.length},${sequence}`;
  const told = meaning === null ? 'null' : JSON.stringify(meaning);
  return `["${peer}","${transport}","${trust}",${pri},${places},${told},${JSON.stringify(raw)}]`;
}

/** Start and length in the message; -1 and 0 for none, empty where it is no piece of it. */
function place(raw: string, part: string | null): string {
  if (part === null) return '-1,0';
  const at = raw.indexOf(part);
  return at < 0 ? '' : `${at},${part.length}`;
}

type Compact = readonly [
  ...at: readonly [peer: string, transport: Origin['transport'], trust: Origin['trust'], pri: number],
  ...places: readonly [number, number, number, number, number, number, number, number, number, number],
  sequence: number,
  meaning: Meaning | null,
  raw: string,
];

/** What it is found by, without the rest. */
function briefOf(compact: Compact): EventBrief {
  const [peer, , , , mnemonicAt, mnemonicLength, hostAt, hostLength] = compact;
  const [meaning, raw] = [compact[15], compact[16]];
  return {
    peer,
    host: hostAt < 0 ? null : raw.slice(hostAt, hostAt + hostLength),
    mnemonic: mnemonicAt < 0 ? null : raw.slice(mnemonicAt, mnemonicAt + mnemonicLength),
    meaning: meaning?.kind ?? null,
  };
}

function expanded([peer, transport, trust, pri, ...rest]: Compact, target: string | undefined): Event {
  const [mnemonicAt, mnemonicLength, hostAt, hostLength, appAt, appLength, timeAt, timeLength, textAt, textLength] = rest;
  const [sequence, meaning, raw] = [rest[10], rest[11], rest[12]];
  const piece = (at: number, length: number): string | null => (at < 0 ? null : raw.slice(at, at + length));
  const deviceTime = piece(timeAt, timeLength);
  const syslog = {
    pri,
    facility: pri >> 3,
    severity: pri & 7,
    mnemonic: piece(mnemonicAt, mnemonicLength),
    host: piece(hostAt, hostLength),
    app: piece(appAt, appLength),
    text: raw.slice(textAt, textAt + textLength),
    ...(sequence < 0 ? {} : { sequence }),
  };
  const origin = { source: 'syslog', peer, transport, trust, ...(deviceTime === null ? {} : { deviceTime }), raw };
  return { ...(target === undefined ? {} : { target }), meaning, syslog, origin };
}

/**
 * The entry of an event that a source offered, until it has been stepped. They come by the hundred thousand, and copies age on the heap:
 * it is stamped and numbered where it is, and written once: to be measured, for the journal and for whoever is handed it after.
 */
export class OfferedEntry {
  readonly kind = 'event';
  readonly event: Event;
  at = 0;
  /** Undefined until it is numbered: a journal that keeps plain JSON does not write it. */
  seq!: number;
  /** The event's, but of one that was written down where it was received: that is put together anew. */
  #json: string | undefined;

  constructor(event: Event) {
    this.event = event;
  }

  /** What the journal is given of it, bytes: exactly where that comes near what an entry may have, else more than it is. */
  bytesMost(): number {
    const near = journalEntryBytesMax / 2;
    if (this.event instanceof WrittenEvent) return this.event.bytesMost(near);
    this.#json ??= JSON.stringify(this.event);
    const most = this.#json.length * 3 + 64;
    return most < near ? most : Buffer.byteLength(this.#json) + 64;
  }

  stamped(at: number): NewEntry {
    this.at = at;
    return this;
  }

  numbered(seq: number): Entry {
    this.seq = seq;
    return this;
  }

  /** As entryJson() has it, whether it is numbered or not. */
  json(): string {
    const { event, at } = this;
    if (event instanceof WrittenEvent) return event.entryJson(at);
    this.#json ??= JSON.stringify(event);
    return `{"kind":"event","event":${this.#json},"at":${at}}`;
  }
}

/** An entry as a journal keeps it: JSON, an array where it is a written event in few words. */
export function entryJson(entry: NewEntry | OfferedEntry): string {
  if (entry instanceof OfferedEntry) return entry.json();
  return entry.kind === 'event' && entry.event instanceof WrittenEvent ? entry.event.entryJson(entry.at) : JSON.stringify(entry);
}

/** What entryJson wrote, once JSON.parse has read it. */
export function entryOf(kept: unknown): NewEntry {
  if (!Array.isArray(kept)) return kept as NewEntry;
  const [at, target] = kept as [number, string | null];
  kept.splice(0, 2);
  return {
    kind: 'event',
    event: new WrittenEvent(briefOf(kept as unknown as Compact), kept as unknown as Compact, target ?? undefined),
    at,
  };
}
