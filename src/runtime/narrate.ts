// Owns: saying what happens in the words of the field, one phrase a step: event → meaning → policy → read → apply →
// outcome. The terminal paints it, a story's transcript is made of it.

import { type Entry, type EntryOf, isRemoval, type Reading } from '../model/entry.ts';
import type { Event } from '../model/event.ts';
import type { Intent, Resource } from '../model/intent.ts';
import type { Meaning } from '../model/meaning.ts';
import type { Outcome } from '../model/outcome.ts';
import { lateText } from './late.ts';
import { questionText, readingText } from './reading-text.ts';

export interface Phrase {
  readonly at: number;
  /** `event` and `means` of what a policy listens to, else `heard`; `gap`, `asks`, `wants`, `read`, `apply`, an outcome's kind, `notice`, `stopped`. */
  readonly what: string;
  /** Of whom it speaks: a target, or a policy. */
  readonly who: string;
  readonly text: string;
  /** Milliseconds by part, for those who show them. */
  readonly tookMs?: Readonly<Record<string, number>>;
}

const phraseMax = 160;

/** A UUID says nothing to a reader, and stands with every step of a VM. */
const about = (key: string): string => (key === '' || /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(key) ? '' : ` (${key})`);

/** Tells what an event means beside its own meaning: an engine does. */
export interface Deriver {
  derived(event: Event): readonly Meaning[];
  found(reading: Reading): readonly Meaning[];
  /** The policies that listen to it. */
  listeners(event: Event): readonly string[];
  /** What is open: after a restart some of it is older than whoever tells. */
  readonly ledger: { open(): readonly { readonly intent: Intent }[] };
}

/** Remembers open intents so that an outcome can say what it is the outcome of. */
export function narrator(): (entry: Entry, engine: Deriver) => readonly Phrase[] {
  const intents = new Map<string, Intent>();
  let primed = false;
  const ensureOf = (id: string) => {
    const want = intents.get(id)?.want;
    return want?.kind === 'ensure' ? want : undefined;
  };
  const ofOutcome = ({ at, intent, outcome }: EntryOf<'outcome'>): readonly Phrase[] => {
    const want = ensureOf(intent);
    const told = intents.get(intent);
    if (outcome.kind !== 'held') intents.delete(intent);
    if (told?.want.kind === 'report' && outcome.kind !== 'done')
      return [{ at, what: outcome.kind, who: told.policy, text: `report on ${told.want.request}: ${outcome.reason ?? ''}` }];
    if (!want) return [];
    // Where it failed the reason says how it was found at the end.
    const proof = outcome.kind === 'failed' ? undefined : proofOf(outcome);
    const said = [`${resourceText(want.resource)} ${want.desired}`, outcome.reason, proof].filter(Boolean).join(': ');
    return [
      { at, what: outcome.kind, who: want.resource.target, text: said, ...(outcome.tookMs ? { tookMs: outcome.tookMs } : {}) },
    ];
  };
  const ofIntent = ({ at, intent }: EntryOf<'intent'>): readonly Phrase[] => {
    const { want, policy, key } = intent;
    if (want.kind === 'notice') return [{ at, what: 'notice', who: policy, text: want.text }];
    intents.set(intent.id, intent);
    if (want.kind === 'report') return [{ at, what: 'report', who: policy, text: `${want.state}: ${want.text}` }];
    if (want.kind === 'read')
      return [{ at, what: 'asks', who: want.target, text: `${questionText(want)} for ${policy}${about(key)}` }];
    return [
      {
        at,
        what: 'wants',
        who: want.resource.target,
        text: `${resourceText(want.resource)} ${want.desired}, says ${policy}${about(key)}`,
      },
    ];
  };
  return (entry, engine) => {
    const { at } = entry;
    if (!primed) for (const { intent } of engine.ledger.open()) intents.set(intent.id, intent);
    primed = true;
    if (entry.kind === 'event') return ofEvent(at, entry.event, engine);
    if (entry.kind === 'intent') return ofIntent(entry);
    if (entry.kind === 'reading') return ofReading(at, entry.reading, engine);
    if (entry.kind === 'attempt')
      return [{ at, what: 'apply', who: ensureOf(entry.intent)?.resource.target ?? '', text: planText(entry.plan) }];
    if (entry.kind === 'outcome') return ofOutcome(entry);
    if (entry.kind === 'late')
      return entry.policies.map(({ policy, late, alarms }) => ({
        at,
        what: 'notice',
        who: policy,
        text: lateText(alarms, late),
      }));
    if (entry.kind === 'command' && entry.verb === 'resolve') {
      const [intent = '', answer = ''] = entry.arguments;
      return [{ at, what: 'notice', who: entry.by, text: `answers for ${intent}: ${answer}` }];
    }
    if (entry.kind === 'quarantine') return [{ at, what: 'stopped', who: entry.policy, text: stoppedText(entry.reason) }];
    return [];
  };
}

/** How one gets out of it, too: nothing else starts a stopped policy, a restart least of all. One whose file is gone was meant to stop. */
function stoppedText(reason: string): string {
  if (isRemoval(reason)) return reason;
  // What an error says ends in its remedy.
  return `${reason}${/[.!?]$/.test(reason) ? '' : '.'} The other policies go on. Mend its file and save it: a changed version is put in force by itself, a restart changes nothing.`;
}

function ofReading(at: number, reading: Reading, engine: Deriver): readonly Phrase[] {
  const { target: who, tookMs } = reading;
  const means = engine.found(reading).map(meaningText);
  return [
    { at, what: 'read', who, text: shortened(readingText(reading)), tookMs: { read: tookMs } },
    ...(means.length > 0 ? [{ at, what: 'means', who, text: means.join('  →  ') }] : []),
  ];
}

function ofEvent(at: number, event: Event, engine: Deriver): readonly Phrase[] {
  const { meaning, target, origin } = event;
  if (meaning?.kind === 'source.gap') {
    return [
      {
        at,
        what: 'gap',
        who: meaning.source,
        text: `${meaning.reason}; ${meaning.targets?.join(', ') ?? 'everybody'} is read again`,
      },
    ];
  }
  const who = target ?? origin.peer;
  const listeners = engine.listeners(event);
  const derived = engine.derived(event);
  if (listeners.length === 0) {
    // Nobody acts on it; that a migration has failed is worth a word all the same.
    return [{ at, what: 'heard', who, text: [saidBy(event), ...derived.map(meaningText)].join('  →  ') }];
  }
  const said: Phrase = { at, what: 'event', who, text: saidBy(event) };
  const wakes = `wakes ${listeners.join(', ')}`;
  // What was derived says it all; the event's own line stands above.
  const means = (derived.length > 0 || meaning === null ? derived : [meaning]).map(meaningText);
  return [said, { at, what: 'means', who, text: [...means, wakes].join('  →  ') }];
}

function saidBy({ syslog, snmp, meaning, origin }: Event): string {
  if (syslog) return shortened(`${syslog.mnemonic ? `%${syslog.mnemonic}: ` : ''}${syslog.text} (syslog ${origin.transport})`);
  // Its name alone does not say of what, and its varbinds are many.
  if (snmp)
    return shortened(
      `SNMP${snmp.version} ${snmp.pdu} ${snmp.name ?? snmp.oid}${meaning ? `: ${fieldsText(meaning)}`.trimEnd() : ''}`,
    );
  return shortened(origin.raw);
}

/** One meaning in one phrase, in the field's words: `interface.state-changed Vlan10 link down`. */
export function meaningText(meaning: Meaning): string {
  return `${meaning.kind} ${fieldsText(meaning)}`.trimEnd();
}

function fieldsText(meaning: Meaning): string {
  if (meaning.kind === 'fhrp.changed') return `${meaning.gateway}: ${meaning.member} ${meaning.role}`;
  if (meaning.kind === 'source.gap') return `${meaning.source}: ${meaning.reason}`;
  if (isMigration(meaning)) return migrationText(meaning);
  const { kind: _, ...fields } = meaning;
  const said = Object.entries(fields)
    .filter(([name]) => !aside.has(name) && !('to' in meaning && (name === 'from' || name === 'to')))
    .sort(([a], [b]) => Number(b === 'interface') - Number(a === 'interface'))
    .map(([name, value]) => (bare.has(name) ? wordOf(value) : `${name} ${wordOf(value)}`));
  const change = 'to' in meaning ? [`${'from' in meaning && meaning.from ? `${meaning.from} → ` : ''}${meaning.to}`] : [];
  const why = [
    ...('admin' in meaning && meaning.admin ? ['admin'] : []),
    ...('reason' in meaning && meaning.reason ? [meaning.reason] : []),
  ];
  return [...said, ...change, ...(why.length > 0 ? [`(${why.join(', ')})`] : [])].join(' ');
}

/** Of a network card its address. */
const wordOf = (value: unknown): string =>
  Array.isArray(value) ? value.map((each) => String(each?.mac ?? each)).join(', ') : String(value);

type MigrationMeaning = Extract<Meaning, { readonly vm: string; readonly from: string; readonly to: string }>;

const isMigration = (meaning: Meaning): meaning is MigrationMeaning => 'vm' in meaning && 'from' in meaning;

/** `web1 kvm1 → kvm2 failed (kvm2 stopped it: failed)`. */
function migrationText(meaning: MigrationMeaning): string {
  const how = meaning.kind === 'vm.migration-ended' ? [meaning.how] : [];
  const macs = 'macs' in meaning && meaning.macs.length > 0 ? [`with ${meaning.macs.join(', ')}`] : [];
  const allowed = 'allow' in meaning && meaning.allow?.length ? [`allowing ${meaning.allow.join(', ')}`] : [];
  const why = 'reason' in meaning && meaning.reason ? [`(${meaning.reason})`] : [];
  return [meaning.vm, `${meaning.from || '?'} → ${meaning.to}`, ...how, ...macs, ...allowed, ...why].join(' ');
}

/** Fields whose value says what it is. */
const bare = new Set(['interface', 'layer']);
/** Fields that say why: they stand behind. */
const aside = new Set(['admin', 'reason']);

/** Fields of resources whose value says what it is, and those that say nothing to a reader who has the others. */
const plain = new Set(['prefix', 'interface', 'mac', 'direction', 'policy', 'mode', 'vm']);
const unsaid = new Set(['uuid', 'uri', 'postCopy']);

/** `bgp-network 23.0.0.0/8`; the VRF only where it is not the default one. */
export function resourceText({ kind, target: _, ...rest }: Resource): string {
  const fields = Object.entries(rest).filter(([name, value]) => !unsaid.has(name) && !(name === 'vrf' && value === 'default'));
  return [kind, ...fields.map(([name, value]) => (plain.has(name) ? `${value}` : `${name} ${value}`))].join(' ');
}

/** What was read at the end: that it is effective. */
function proofOf({ evidence }: Outcome): string | undefined {
  return evidence?.findLast((text) => text.startsWith('after: '))?.slice('after: '.length);
}

function planText(plan: readonly string[]): string {
  return shortened(plan.map((text) => (text.startsWith('<') ? xmlText(text) : text.replace(/\s+/g, ' ').trim())).join(' / '));
}

/** The leaves of an edit, each with the element it stands in: `bgp/id=65003, remove no-mask/number=23.0.0.0`. */
function xmlText(xml: string): string {
  const leaves: string[] = [];
  const path: string[] = [];
  let operation = '';
  for (const [, close, name, attributes = '', text] of xml.matchAll(/<(\/?)([\w:.-]+)([^<>]*)>|([^<>]+)/g)) {
    if (text !== undefined && text.trim() !== '') leaves.push(`${operation}${path.slice(-2).join('/')}=${text.trim()}`);
    if (close === '/') path.pop();
    else if (name !== undefined && !attributes.endsWith('/')) path.push(name);
    if (close === '')
      operation = attributes.match(/operation=["'](remove|delete|create|replace)["']/)?.[1]?.concat(' ') ?? operation;
  }
  return `edit ${leaves.join(', ')}`;
}

function shortened(text: string): string {
  const line = text.replace(/\s*[\r\n]+\s*/g, ' ');
  return line.length > phraseMax ? `${line.slice(0, phraseMax)}…` : line;
}
