// Owns: a message → the event it is, written down: in the receiving thread where a sender can be slowed down (TCP), in the main
// one where it cannot (a burst of datagrams must be taken from the kernel first); and how it travels between the two.
import type { Origin } from '../../src/model/event.ts';
import type { MeaningKind } from '../../src/model/meaning.ts';
import type { PlatformName } from '../../src/model/target.ts';
import { compactOf, type EventBrief, WrittenEvent } from '../../src/model/written-event.ts';
import { syslogMeaning } from '../platforms/syslog-meanings.ts';
import { parseSyslog } from './wire.ts';

export interface ReadMessage {
  readonly brief: EventBrief;
  readonly json: string;
  /** The sender's own count of its messages, where it has one. */
  readonly counter: number | undefined;
}

export function readMessage(
  transport: 'udp' | 'tcp',
  peer: string,
  raw: string,
  platform: PlatformName | undefined,
): ReadMessage {
  const { fields, deviceTime, counter = fields.sequence } = parseSyslog(raw);
  const origin: Origin = {
    source: 'syslog',
    peer,
    transport,
    trust: 'claimed',
    ...(deviceTime !== undefined && { deviceTime }),
    raw,
  };
  const meaning = syslogMeaning(fields, platform);
  const event = { meaning, syslog: fields, origin };
  const { host, mnemonic } = fields;
  return {
    brief: { peer, host, mnemonic, meaning: meaning?.kind ?? null },
    json: compactOf(event) ?? JSON.stringify(event),
    counter,
  };
}

/** ASCII's unit separator: JSON writes it as an escape, so that it cannot stand in what follows it. */
const separator = '\u001f';

/** One record of the ring. What it is found by stands in front. Undefined where a name has the separator in it. */
export function recordOf({ brief, json, counter }: ReadMessage): string | undefined {
  const { peer, host, mnemonic, meaning } = brief;
  if (host?.includes(separator) || mnemonic?.includes(separator)) return undefined;
  return `read ${peer}${separator}${counter ?? ''}${separator}${host ?? ''}${separator}${mnemonic ?? ''}${separator}${meaning ?? ''}${separator}${json}`;
}

export function messageOf(record: string): ReadMessage {
  const peer = record.indexOf(separator, 5);
  const counter = record.indexOf(separator, peer + 1);
  const host = record.indexOf(separator, counter + 1);
  const mnemonic = record.indexOf(separator, host + 1);
  const meaning = record.indexOf(separator, mnemonic + 1);
  return {
    brief: {
      peer: record.slice(5, peer),
      host: host === counter + 1 ? null : record.slice(counter + 1, host),
      mnemonic: mnemonic === host + 1 ? null : record.slice(host + 1, mnemonic),
      meaning: meaning === mnemonic + 1 ? null : (record.slice(mnemonic + 1, meaning) as MeaningKind),
    },
    json: record.slice(meaning + 1),
    counter: counter === peer + 1 ? undefined : Number(record.slice(peer + 1, counter)),
  };
}

export function eventOf({ brief, json }: ReadMessage): WrittenEvent {
  return new WrittenEvent(brief, json);
}
