// Owns: the event that stands for what nobody has said: a reading or a report shows that it has happened.
import type { Event } from '../../model/event.ts';
import type { Meaning } from '../../model/meaning.ts';

/** What a reading or a report shows to have happened. */
export function toldEvent(meaning: Meaning, target: string): Event {
  const origin = { source: 'reading', peer: target, transport: 'local', trust: 'authenticated', raw: '' } as const;
  return { target, meaning, because: 'resync', origin };
}
