// A notification that is larger written down than it came: the journal takes it all the same.
import { createSocket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import { snmpSource } from '../../adapters/source-snmp/index.ts';
import type { Event } from '../../src/model/event.ts';
import { journalEntryBytesMax } from '../../src/model/limits.ts';
import { admit } from '../../src/runtime/admission.ts';
import { realWall } from '../../src/runtime/wall.ts';

const length = (n: number): Buffer => (n < 128 ? Buffer.of(n) : Buffer.of(0x82, n >> 8, n & 255));
const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), length(body.length), body]);
};
const varbind = (oid: number[], value: Buffer): Buffer => tlv(0x30, tlv(6, Buffer.from(oid)), value);
const trap = (...varbinds: Buffer[]): Buffer => {
  const head = [
    varbind([0x2b, 6, 1, 2, 1, 1, 3, 0], tlv(0x43, Buffer.of(1))),
    varbind([0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0], tlv(6, Buffer.of(0x2b, 6, 1, 6, 3, 1, 1, 5, 3))),
  ];
  const pdu = tlv(0xa7, tlv(2, Buffer.of(1)), tlv(2, Buffer.of(0)), tlv(2, Buffer.of(0)), tlv(0x30, ...head, ...varbinds));
  return tlv(0x30, tlv(2, Buffer.of(1)), tlv(4, Buffer.from('public')), pdu);
};
const noInstance = varbind([0x2b], Buffer.of(0x81, 0));
const many = (count: number) => Array.from({ length: count }, () => noInstance);

test.each([
  ['small and of many varbinds', trap(...many(4_600))],
  ['of text that is longer in UTF-8', trap(varbind([0x2b, 6, 1], tlv(4, Buffer.from('€'.repeat(16_000)))), ...many(2_000))],
  [
    'of one long name that its meaning repeats',
    trap(varbind([0x2b, 6, 1, 2, 1, 2, 2, 1, 2, 1], tlv(4, Buffer.from('"'.repeat(65_380))))),
  ],
])('an SNMP notification %s fits into the journal', async (_, datagram) => {
  const offered: Event[] = [];
  const source = snmpSource({
    host: '127.0.0.1',
    port: 0,
    communities: [],
    users: [],
    engine: { id: '8000000001', boots: 1 },
    wall: realWall,
  });
  await source.start({ offer: (events) => offered.push(...events) > 0, gap: () => undefined });
  onTestFinished(() => source.stop());
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.send(datagram, Number(source.stats().listening[0]!.split(':').at(-1)), '127.0.0.1');
  await expect.poll(() => source.stats().received).toBe(1);
  const event = admit(offered[0]!, { targets: {}, gateways: {} } as never);
  const bytes = Buffer.byteLength(JSON.stringify({ kind: 'event', event, at: 1_700_000_000_000 }));
  expect(bytes).toBeLessThanOrEqual(journalEntryBytesMax);
});
