// Owns: selectors: what a policy listens to, as data, and the index that finds the policies of an event in a Map
// look-up, so that ten thousand policies cost an event no more than ten.
import type { Event, Origin, SnmpFields, SyslogFields } from '../model/event.ts';
import type { Meaning, MeaningKind, MeaningOf } from '../model/meaning.ts';

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
  /** On the text of a syslog message. */
  readonly matches?: RegExp;
  readonly event?: E;
}

export interface Subscriber {
  readonly selector: Selector;
  readonly policy: number;
}

/** What the index gives back: the first of a policy's selectors that takes the event. */
export interface Match extends Subscriber {
  readonly groups?: Readonly<Record<string, string>>;
}

interface Bucket {
  readonly all: Subscriber[];
  readonly byField: Map<string, Map<Scalar, Subscriber[]>>;
}

function add<K>(map: Map<K, Subscriber[]>, key: K, subscriber: Subscriber): void {
  const list = map.get(key);
  if (list) list.push(subscriber);
  else map.set(key, [subscriber]);
}

export class SelectorIndex {
  readonly #meanings = new Map<string, Bucket>();
  readonly #mnemonics = new Map<string, Subscriber[]>();
  readonly #shortMnemonics = new Map<string, Subscriber[]>();
  readonly #anySyslog: Subscriber[] = [];
  readonly #traps = new Map<string, Subscriber[]>();
  readonly #anyTrap: Subscriber[] = [];

  add(selector: Selector, policy: number): void {
    const subscriber = { selector, policy };
    if (selector.select === 'meaning') this.#addMeaning(subscriber);
    else if (selector.select === 'snmp')
      selector.name ? add(this.#traps, selector.name, subscriber) : this.#anyTrap.push(subscriber);
    else if (!selector.name) this.#anySyslog.push(subscriber);
    else add(selector.name.includes('-') ? this.#mnemonics : this.#shortMnemonics, selector.name, subscriber);
  }

  #addMeaning(subscriber: Subscriber): void {
    const { name = '', where = {} } = subscriber.selector;
    let bucket = this.#meanings.get(name);
    if (!bucket) {
      bucket = { all: [], byField: new Map() };
      this.#meanings.set(name, bucket);
    }
    const first = Object.entries(where)[0];
    if (!first) {
      bucket.all.push(subscriber);
      return;
    }
    let values = bucket.byField.get(first[0]);
    if (!values) {
      values = new Map();
      bucket.byField.set(first[0], values);
    }
    add(values, first[1], subscriber);
  }

  /** Every policy that listens to this meaning, in the order of their numbers, each once. */
  ofMeaning(meaning: Meaning, target: string): readonly Match[] {
    const bucket = this.#meanings.get(meaning.kind);
    if (!bucket) return [];
    const fields = meaning as unknown as Readonly<Record<string, Scalar>>;
    const found: Match[] = [];
    const take = (list: readonly Subscriber[] | undefined): void => {
      for (const one of list ?? []) if (fieldsMatch(one.selector.where, fields, target)) found.push(one);
    };
    take(bucket.all);
    for (const [field, values] of bucket.byField) take(values.get(field === 'target' ? target : fields[field]!));
    return inOrder(found);
  }

  ofSyslog(message: SyslogFields, target: string): readonly Match[] {
    const lists: (readonly Subscriber[] | undefined)[] = [this.#anySyslog];
    const { mnemonic } = message;
    if (mnemonic !== null) {
      lists.push(this.#mnemonics.get(mnemonic));
      if (this.#shortMnemonics.size > 0) lists.push(this.#shortMnemonics.get(mnemonic.slice(mnemonic.lastIndexOf('-') + 1)));
    }
    const fields = message as unknown as Readonly<Record<string, Scalar>>;
    const found: Match[] = [];
    for (const list of lists) {
      for (const one of list ?? []) {
        if (!fieldsMatch(one.selector.where, fields, target)) continue;
        if (!one.selector.matches) found.push(one);
        else {
          const match = one.selector.matches.exec(message.text);
          if (match) found.push({ ...one, groups: { ...match.groups } });
        }
      }
    }
    return inOrder(found);
  }

  ofSnmp(notification: SnmpFields, target: string): readonly Match[] {
    const fields = notification as unknown as Readonly<Record<string, Scalar>>;
    const lists = [
      this.#anyTrap,
      this.#traps.get(notification.oid),
      notification.name ? this.#traps.get(notification.name) : undefined,
    ];
    return inOrder(lists.flatMap((list) => (list ?? []).filter((one) => fieldsMatch(one.selector.where, fields, target))));
  }
}

function fieldsMatch(where: Selector['where'], fields: Readonly<Record<string, Scalar>>, target: string): boolean {
  for (const field in where) if ((field === 'target' ? target : fields[field]) !== where[field]) return false;
  return true;
}

function inOrder(found: Match[]): readonly Match[] {
  if (found.length < 2) return found;
  found.sort((a, b) => a.policy - b.policy);
  return found.filter((one, index) => index === 0 || found[index - 1]!.policy !== one.policy);
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
  if (selector.matches && 'text' in fields && !selector.matches.test(fields.text))
    return `${selector.matches} does not match "${fields.text}"`;
  return fieldMiss(selector, fields as unknown as Readonly<Record<string, Scalar>>, target);
}

function fieldMiss(selector: Selector, fields: Readonly<Record<string, Scalar>>, target: string): string | undefined {
  for (const [field, wanted] of Object.entries(selector.where ?? {})) {
    const found = field === 'target' ? target : fields[field];
    if (found !== wanted) return `${field} differs: ${JSON.stringify(found ?? null)}, wanted ${JSON.stringify(wanted)}`;
  }
  return undefined;
}
