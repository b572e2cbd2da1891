// Owns: that nothing is handed to the journal which is larger than an entry may be: one such entry would end Offbox, and would be met
// again at the next start.
//
// O1. What is only said (a reason) is cut, and says so. What something depends on (a plan, a value that stood there) is never cut: it is
//     refused to whoever brings it.
// O2. In place of an event stands a gap: something was missed, and its target is read.
import type { EntryBody } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { journalEntryBytesMax, reasonLettersMax } from '../model/limits.ts';
import type { Meaning } from '../model/meaning.ts';
import type { Inventory } from '../model/target.ts';
import { OfferedEntry } from '../model/written-event.ts';

/** `,"at":1700000000000`, with room to spare. */
const envelopeBytes = 64;
/** Of an event that is not kept, as much of what was received. */
const rawLettersKept = 1_024;

export const cut = (text: string, letters = reasonLettersMax): string =>
  text.length <= letters ? text : `${text.slice(0, letters)} … ${text.length - letters} characters more`;

export const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** As it is submitted; throws an OperatorError where it is more than an entry may be. */
export function bounded(body: EntryBody): EntryBody {
  if (body.kind === 'tick' || body.kind === 'decided') return body;
  const shorter = cutReasons(body);
  const bytes = jsonBytes(shorter) + envelopeBytes;
  if (bytes <= journalEntryBytesMax) return shorter;
  throw new OperatorError(`the ${body.kind} is ${bytes} bytes, and an entry of the journal has ${journalEntryBytesMax} at most`, {
    code: 'too-large',
    remedy: 'Ask for less at once.',
  });
}

function cutReasons(body: EntryBody): EntryBody {
  if (body.kind === 'quarantine') return { ...body, reason: cut(body.reason) };
  if (body.kind !== 'outcome') return body;
  const { reason } = body.outcome;
  return reason === undefined ? body : { ...body, outcome: { ...body.outcome, reason: cut(reason) } };
}

/** The entry of an event that a source offers. */
export function offeredEntry(event: Event, inventory: Inventory): OfferedEntry {
  const entry = new OfferedEntry(event);
  const bytes = entry.bytesMost();
  return bytes + envelopeBytes <= journalEntryBytesMax ? entry : new OfferedEntry(insteadOf(event, bytes, inventory));
}

function insteadOf({ target, origin }: Event, bytes: number, { targets }: Inventory): Event {
  const whose = target !== undefined && Object.hasOwn(targets, target) ? [target] : [];
  const reason = `an event of ${bytes} bytes was not kept: an entry of the journal has ${journalEntryBytesMax} at most`;
  return { ...gapEvent(origin.source, reason, whose), ...(whose[0] === undefined ? {} : { target: whose[0] }) };
}

/** Something may have been missed; without targets: by anybody. */
export function gapEvent(source: string, reason: string, targets?: readonly string[]): Event {
  const meaning: Meaning = {
    kind: 'source.gap',
    source: cut(source, rawLettersKept),
    reason: cut(reason),
    ...(targets ? { targets: [...targets] } : {}),
  };
  return { meaning, origin: { source: meaning.source, peer: 'local', transport: 'local', trust: 'authenticated', raw: '' } };
}
