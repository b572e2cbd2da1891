// Owns: selectors: what a policy listens to, as data, and the index that finds the policies of an event in a Map
// look-up, so that ten thousand policies cost an event no more than ten.
import type { Event, Origin, SnmpFields, SyslogFields } from '../model/event.ts';
import type { Meaning, MeaningKind, MeaningOf } from '../model/meaning.ts';
import type { EventBrief } from '../model/written-event.ts';

/** What every policy event carries besides its own fields. */
export interface EventFrame {
  /** The entry's seq. */
  readonly seq: number;
  /** Admission time, milliseconds since 1970. */
  readonly at: number;
  /** The inventory name of the target it speaks of; empty where the sender is nobody we know. */
  readonly target: string;
  readonly trust: Origin['trust'];
  readonly because?: NonNullable<Event['because']>;
}

export type MeaningEvent<K extends MeaningKind> = MeaningOf<K> & EventFrame;
export type SyslogEvent = SyslogFields &
  EventFrame & {
    readonly kind: 'syslog' /** Of the selector's `matches`: the groups. */;
    readonly groups: Readonly<Record<string, string>>;
  };
export type SnmpEvent = SnmpFields & EventFrame & { readonly kind: 'snmp' };

type Scalar = string | number | boolean;

/** What to listen to. `E` is the type of event it gives; it exists for the compiler only. */
export interface Selector<E = unknown> {
  readonly select: 'meaning' | 'syslog' | 'snmp';
  /** The meaning's kind; the mnemonic, whole (`HSRP-5-STATECHANGE`) or its last part (`STATECHANGE`); the trap's OID or name. */
  readonly name?: string;
  /** Fields that must be equal. */
  readonly where?: Readonly<Record<string, Scalar>>;
  /** On the text of a syslog message, or on all of it: `%HSRP-5-STATECHANGE: Vlan10 …`. Neither global nor sticky: it must not remember. */
  readonly matches?: RegExp;
  readonly event?: E;
}

interface Subscriber {
  readonly selector: Selector;
  readonly policy: number;
  /** The order it was added in. */
  readonly place: number;
}

/** What the index gives back: the first of a policy's selectors that takes the event. */
export interface Match {
  readonly policy: number;
  /** Of a syslog message: what the selector's `matches` named. */
  readonly groups?: Readonly<Record<string, string>>;
}

/** What most events find. */
const nobody: readonly Match[] = [];

type Fields = Readonly<Record<string, Scalar>>;

/** The selectors of one name that ask for the same fields, by the values they ask for. */
interface Bucket {
  readonly fields: readonly string[];
  readonly byValues: Map<Scalar, Subscriber[]>;
}

/** Mnemonics a sender makes up must not fill the memory. */
const mnemonicsMax = 65_536;

export class SelectorIndex {
  /** Per kind and name the buckets: as many as there are different sets of fields asked for, however many selectors. */
  readonly #buckets: Readonly<Record<Selector['select'], Map<string, Map<string, Bucket>>>> = {
    meaning: new Map(),
    syslog: new Map(),
    snmp: new Map(),
  };
  /** By mnemonic whether anybody listens: there are far fewer of them than messages. */
  readonly #heard = new Map<string, boolean>();
  #places = 0;

  add(selector: Selector, policy: number): void {
    const { select, name = '', where = {} } = selector;
    this.#heard.clear();
    const fields = Object.keys(where).sort();
    const buckets = getOr(this.#buckets[select], name, () => new Map<string, Bucket>());
    const bucket = getOr(buckets, fields.join(' '), () => ({ fields, byValues: new Map() }));
    const subscriber = { selector, policy, place: this.#places++ };
    getOr(bucket.byValues, valuesOf(bucket, where, where.target), () => []).push(subscriber);
  }

  /** Every policy that listens to this meaning, in the order of their numbers, each once. */
  ofMeaning(meaning: Meaning, target: string): readonly Match[] {
    return matches(this.#find('meaning', [meaning.kind], meaning as unknown as Fields, target));
  }

  ofSyslog(message: SyslogFields, target: string): readonly Match[] {
    const { mnemonic } = message;
    const names = mnemonic === null ? [''] : ['', mnemonic, mnemonic.slice(mnemonic.lastIndexOf('-') + 1)];
    const heard = this.#find('syslog', names, message as unknown as Fields, target);
    if (heard.length === 0) return nobody;
    const groups = new Map<Subscriber, Readonly<Record<string, string>>>();
    let whole: string | undefined;
    const wholeOnce = (): string | undefined => {
      whole ??= wholeOf(message);
      return whole;
    };
    const found = heard.filter((one) => {
      const match = one.selector.matches && matchOf(one.selector.matches, message, wholeOnce);
      groups.set(one, { ...match?.groups });
      return match !== null;
    });
    return matches(found, groups);
  }

  /** Whether anybody could listen to such an event: asked before it is read. */
  hears({ meaning, mnemonic }: Pick<EventBrief, 'meaning' | 'mnemonic'>): boolean {
    const { meaning: byKind, syslog: byName } = this.#buckets;
    if ((meaning !== null && byKind.has(meaning)) || byName.has('')) return true;
    if (mnemonic === null) return false;
    const known = this.#heard.get(mnemonic);
    if (known !== undefined) return known;
    if (this.#heard.size >= mnemonicsMax) this.#heard.clear();
    const heard = byName.has(mnemonic) || byName.has(mnemonic.slice(mnemonic.lastIndexOf('-') + 1));
    this.#heard.set(mnemonic, heard);
    return heard;
  }

  ofSnmp(notification: SnmpFields, target: string): readonly Match[] {
    const names = ['', notification.oid, ...(notification.name === undefined ? [] : [notification.name])];
    return matches(this.#find('snmp', names, notification as unknown as Fields, target));
  }

  #find(select: Selector['select'], names: readonly string[], fields: Fields, target: string): Subscriber[] {
    const found: Subscriber[] = [];
    for (const name of names) {
      const buckets = this.#buckets[select].get(name);
      if (!buckets) continue;
      for (const bucket of buckets.values())
        for (const one of bucket.byValues.get(valuesOf(bucket, fields, target)) ?? []) found.push(one);
    }
    return found;
  }
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** What an event (or a selector) has in the fields of a bucket, as one key. */
function valuesOf({ fields }: Bucket, from: Fields, target: Scalar | undefined): Scalar {
  if (fields.length === 0) return '';
  const value = (field: string): Scalar | undefined => (field === 'target' ? target : from[field]);
  return fields.length === 1 ? value(fields[0]!)! : JSON.stringify(fields.map(value));
}

export function fieldsMatch(where: Selector['where'], fields: Fields, target: string): boolean {
  for (const field in where) if ((field === 'target' ? target : fields[field]) !== where[field]) return false;
  return true;
}

/** The message as devices write it, where it has a mnemonic. */
function wholeOf({ mnemonic, text }: SyslogFields): string | undefined {
  return mnemonic === null ? undefined : `%${mnemonic}: ${text}`;
}

/** What a form finds in the text of a message, else in all of it, which is put together only then. */
function matchOf(form: RegExp, message: SyslogFields, wholeText = () => wholeOf(message)): RegExpExecArray | null {
  const match = form.exec(message.text);
  if (match) return match;
  const whole = wholeText();
  return whole === undefined ? null : form.exec(whole);
}

/** Whether a selector takes an event that a policy was given: inside a pipe. */
export function takesEvent(selector: Selector, event: EventFrame & { readonly kind: string }): boolean {
  const { select, name, where, matches: form } = selector;
  const fields = event as unknown as Fields;
  if (event.kind !== (select === 'meaning' ? name : select) || !fieldsMatch(where, fields, event.target)) return false;
  if (select === 'syslog') {
    const message = event as unknown as SyslogFields;
    const { mnemonic } = message;
    const named = !name || mnemonic === name || mnemonic?.slice(mnemonic.lastIndexOf('-') + 1) === name;
    return named && (!form || matchOf(form, message) !== null);
  }
  return select === 'meaning' || !name || fields.oid === name || fields.name === name;
}

/** A selector in words: `interface.state-changed to down`, `syslog STATECHANGE`. */
export function selectorText({ select, name, where = {}, matches: form }: Selector): string {
  const fields = Object.entries(where).map(([field, value]) => `${field} ${value}`);
  return [...(select === 'meaning' ? [] : [select]), name, ...fields, form].filter(Boolean).join(' ');
}

/** In the order of the policies; of each the selector it named first. */
function matches(found: Subscriber[], groups?: ReadonlyMap<Subscriber, Readonly<Record<string, string>>>): readonly Match[] {
  if (found.length === 0) return nobody;
  found.sort((a, b) => a.policy - b.policy || a.place - b.place);
  return found
    .filter((one, index) => found[index - 1]?.policy !== one.policy)
    .map((one) => ({ policy: one.policy, ...(groups ? { groups: groups.get(one)! } : {}) }));
}

/** Why a selector did not take an event, in one sentence; undefined if it did. For `explain`. */
export function selectorMiss(selector: Selector, event: Event, derived: readonly Meaning[]): string | undefined {
  const target = event.target ?? '';
  if (selector.select === 'meaning') {
    const meanings = [...(event.meaning ? [event.meaning] : []), ...derived];
    const sameKind = meanings.filter((meaning) => meaning.kind === selector.name);
    if (sameKind.length === 0)
      return `listens to ${selector.name}; this is ${meanings.map(({ kind }) => kind).join(', ') || 'an event without a meaning'}`;
    return fieldMiss(selector, sameKind[0] as unknown as Readonly<Record<string, Scalar>>, target);
  }
  const fields = selector.select === 'syslog' ? event.syslog : event.snmp;
  if (!fields) return `listens to ${selector.select}; this came from ${event.origin.source}`;
  const names = 'mnemonic' in fields ? [fields.mnemonic, fields.mnemonic?.split('-').at(-1)] : [fields.oid, fields.name];
  if (selector.name && !names.includes(selector.name))
    return `listens to ${selector.name}; this is ${names[0] ?? 'without a mnemonic'}`;
  if (selector.matches && 'text' in fields && !matchOf(selector.matches, fields)) return matchMiss(selector.matches, fields);
  return fieldMiss(selector, fields as unknown as Readonly<Record<string, Scalar>>, target);
}

function matchMiss(form: RegExp, message: SyslogFields): string {
  const whole = wholeOf(message);
  return whole === undefined
    ? `${form} does not match "${message.text}"`
    : `${form} does not match "${whole}", with the mnemonic or without`;
}

function fieldMiss(selector: Selector, fields: Readonly<Record<string, Scalar>>, target: string): string | undefined {
  for (const [field, wanted] of Object.entries(selector.where ?? {})) {
    const found = field === 'target' ? target : fields[field];
    if (found !== wanted) return `${field} differs: ${JSON.stringify(found ?? null)}, wanted ${JSON.stringify(wanted)}`;
  }
  return undefined;
}
