// The ring between the threads: what goes in comes out, in order, and what does not fit does not go in.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RingReader, RingWriter, ringMemory } from '../../adapters/source-syslog/ring.ts';

function ringOf(bytes: number) {
  const bells = { rung: 0 };
  const memory = ringMemory(bytes);
  const writer = new RingWriter(memory, () => {
    bells.rung += 1;
  });
  return { writer, reader: new RingReader(memory), bells };
}

test('records come out as they went in, whatever their sizes and however full it was', () => {
  const steps = fc.array(fc.oneof(fc.nat({ max: 90 }), fc.constant('read' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (turns) => {
      const { writer, reader } = ringOf(256);
      const waiting: string[] = [];
      turns.forEach((turn, index) => {
        if (turn === 'read') expect(reader.read()).toBe(waiting.shift() ?? null);
        else {
          const text = String.fromCharCode(97 + (index % 26)).repeat(turn);
          if (writer.write('p ', Buffer.from(text))) waiting.push(`p ${text}`);
          else expect(waiting.length).toBeGreaterThan(0);
        }
      });
      for (const expected of waiting) expect(reader.read()).toBe(expected);
      expect(reader.read()).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});

test('bytes that are no UTF-8 are replaced, and nothing else of the record is', () => {
  const { writer, reader } = ringOf(256);
  writer.write('udp 192.0.2.1 ', Buffer.from([0x61, 0xff, 0x62, 0xc3]));
  expect(reader.read()).toBe('udp 192.0.2.1 a\uFFFDb\uFFFD');
});

test('the bell rings once a sleep', () => {
  const { writer, reader, bells } = ringOf(256);
  writer.write('', Buffer.from('a'));
  writer.write('', Buffer.from('b'));
  expect(bells.rung).toBe(1);
  expect(reader.read()).toBe('a');
  expect(reader.sleep()).toBe(false); // b is still there
  expect(reader.read()).toBe('b');
  expect(reader.sleep()).toBe(true);
  writer.write('', Buffer.from('c'));
  expect(bells.rung).toBe(2);
});

test('a writer that waits is told of room once, when half is free', () => {
  const { writer, reader } = ringOf(256);
  while (writer.write('', Buffer.alloc(28)));
  writer.await();
  expect(reader.roomWanted()).toBe(false);
  for (let read = 0; read < 4; read += 1) reader.read();
  expect(writer.hasFree(1 / 2)).toBe(true);
  expect(reader.roomWanted()).toBe(true);
  expect(reader.roomWanted()).toBe(false);
});

test('positions wrap at 2^32 without a record lost', () => {
  const memory = ringMemory(256);
  const near = new Int32Array(memory.control);
  near[0] = -64; // 2^32 - 64, head and tail
  near[1] = -64;
  const writer = new RingWriter(memory, () => undefined);
  const reader = new RingReader(memory);
  for (let turn = 0; turn < 20; turn += 1) {
    expect(writer.write(`${turn} `, Buffer.from('x'.repeat(turn)))).toBe(true);
    expect(reader.read()).toBe(`${turn} ${'x'.repeat(turn)}`);
  }
});

test('counts are told as rises', () => {
  const { writer, reader } = ringOf(256);
  writer.count('received', 3);
  expect(reader.counted('received')).toBe(3);
  writer.count('received');
  expect([reader.counted('received'), reader.counted('received')]).toEqual([1, 0]);
});
