// What a written event is, it is after any way of writing it down.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { syslogMeaning } from '../../adapters/platforms/syslog-meanings.ts';
import { eventOf, messageOf, readMessage, recordOf } from '../../adapters/source-syslog/read.ts';
import { parseSyslog } from '../../adapters/source-syslog/wire.ts';
import type { NewEntry } from '../../src/model/entry.ts';
import { type Event, eventSchema } from '../../src/model/event.ts';
import { compactOf, entryJson, entryOf, OfferedEntry, WrittenEvent } from '../../src/model/written-event.ts';

const at = 1_800_000_000_000;
const lines = [
  '<189>46: nx2: Nov 23 03:31:09.857 UTC: %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active',
  '<189>46: 000048: *Nov 23 03:31:09.857: %LINK-3-UPDOWN: Interface Vlan1, changed state to "down\\"',
  '<30>1 2026-11-23T03:32:14Z edge-1 vrrpd 60 ID7 [a b="]"] Backup -> Master',
  '<30>Nov 23 03:32:14 edge-2 vrrpd[60]: [W23ZH-NY264] [CORE] [VRID 7] [IPv4] Backup -> Master   \r\n',
  'no priority at all %SYS-5-CONFIG_I: Configured from console by \u001f\ud800 \u{1f600}',
  '<13>Nov 23 03:32:14 h p: message repeated 2 times: [ %LINK-3-UPDOWN: x]',
  '',
  '<189>:',
  '<13>1 - edge-\u001f1 app\u001f - I\u001fD - an id with a separator in it',
];
const plain = (raw: string): Event => {
  const { fields, deviceTime } = parseSyslog(raw);
  const time = deviceTime === undefined ? {} : { deviceTime };
  const origin = { source: 'syslog', peer: '192.0.2.1', transport: 'tcp', trust: 'claimed', ...time, raw } as const;
  return { meaning: syslogMeaning(fields), syslog: fields, origin };
};
/** As it comes out of the ring; what travels unread is read behind it. */
function written(raw: string): WrittenEvent {
  const read = readMessage('tcp', '192.0.2.1', raw, undefined);
  const record = recordOf(read);
  return eventOf(record === undefined ? read : messageOf(record));
}
const kept = (entry: NewEntry): NewEntry => entryOf(JSON.parse(entryJson(entry)));
/** What JSON makes of a lone surrogate it makes of it once. */
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

function expectSame(raw: string): void {
  const event = throughJson(plain(raw));
  const read = written(raw);
  expect(throughJson(read)).toEqual(event);
  for (const target of [undefined, 'edge-1', 'a "b"\\']) {
    const whole = target === undefined ? event : { target, ...event };
    const entry: NewEntry = { kind: 'event', event: target === undefined ? read : written(raw).belongsTo(target), at };
    const back = kept(entry);
    // Trimmed rows are written again.
    expect(entryJson(back)).toBe(entryJson(entry));
    if (back.kind === 'event' && back.event instanceof WrittenEvent) {
      const { host, mnemonic, ...brief } = back.event.brief;
      expect({ host, mnemonic }).toEqual({ host: event.syslog!.host, mnemonic: event.syslog!.mnemonic });
      expect(brief).toEqual({ peer: '192.0.2.1', meaning: event.meaning?.kind ?? null });
    }
    expect(throughJson(back)).toEqual({ kind: 'event', event: whole, at });
  }
  expect(read.brief).toEqual({
    peer: '192.0.2.1',
    host: event.syslog!.host,
    mnemonic: event.syslog!.mnemonic,
    meaning: event.meaning?.kind ?? null,
  });
}

describe('a written event', () => {
  test.each(lines)('is the event of %j', (raw) => {
    expectSame(raw);
    const { target, meaning, syslog, snmp, because, origin } = written(raw).belongsTo('edge-1');
    expect({ target, meaning, syslog, snmp, because, origin }).toEqual({ ...throughJson(plain(raw)), target: 'edge-1' });
  });

  test('is the event of whatever is sent', () => {
    const part = fc.constantFrom(
      '<189>',
      '46: ',
      'nx2: ',
      'Nov 23 03:31:09 ',
      '%HSRP-5-STATECHANGE: ',
      'vrrpd[1]: ',
      '-',
      ' ',
      '"',
      '\\',
      'é',
      '\u001f',
      '1 2026-11-23T03:32:14Z ',
    );
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(part, fc.string())).map((parts) => parts.join('')),
    );
    fc.assert(fc.property(line, expectSame), { numRuns: 2_000 });
  });

  test('is mostly written in few words', () => {
    const few = lines.filter((raw) => compactOf(plain(raw) as Event & { syslog: NonNullable<Event['syslog']> }));
    expect(few.length).toBe(lines.length - 2);
  });

  test('leaves no field of a syslog event behind', () => {
    const [{ meaning: _, ...most }] = [throughJson(plain(lines[1]!))];
    expect(Object.keys(most.syslog!).sort()).toEqual(Object.keys(eventSchema.shape.syslog.unwrap().shape).sort());
    expect(Object.keys(most.origin).sort()).toEqual(Object.keys(eventSchema.shape.origin.shape).sort());
  });
});

describe('an offered entry', () => {
  const event = plain('<189>45: *Mar  1 00:00:00: %SYS-5-CONFIG_I: Configured from console by \u{1f600} "b"\\');

  test('is written as the plain entry is, before it is numbered and after', () => {
    const text = JSON.stringify({ kind: 'event', event, at });
    const entry = new OfferedEntry(event);
    expect(entryJson(entry.stamped(at))).toBe(text);
    expect(entryJson(entry.numbered(7))).toBe(text);
    expect(entryJson(new OfferedEntry(event).stamped(at))).toBe(text);
    expect(JSON.stringify(new OfferedEntry(event).stamped(at))).toBe(text);
  });

  test('is to others a plain entry, whether it was written or not', () => {
    const entry = new OfferedEntry(event).stamped(at);
    entryJson(entry);
    expect(entry).toEqual({ kind: 'event', event, at });
    expect({ ...(entry as OfferedEntry).numbered(7) }).toStrictEqual({ kind: 'event', event, at, seq: 7 });
    expect(structuredClone(entry)).toStrictEqual({ kind: 'event', event, at, seq: 7 });
  });

  test('is written anew where it is stamped anew', () => {
    const entry = new OfferedEntry(event);
    entryJson(entry.stamped(at));
    expect(JSON.parse(entryJson(entry.stamped(at + 1)))).toEqual({ kind: 'event', event: throughJson(event), at: at + 1 });
  });

  test('is written in few words where the event was written down as it was received', () => {
    const read = written(lines[0]!);
    const entry = new OfferedEntry(read).stamped(at);
    expect(entryJson(entry)).toBe(read.entryJson(at));
    expect(entryJson(entry)).toMatch(/^\[/);
  });
});
