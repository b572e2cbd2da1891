// RFC 6587 framing: however a stream is cut into chunks, its messages are the same.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framer } from '../../adapters/source-syslog/framing.ts';
import { syslogFrameBytesMax, syslogMessageBytesMax } from '../../src/model/limits.ts';

interface Told {
  readonly frames: readonly string[];
  readonly cut: boolean;
  readonly tooLong: number;
  readonly endless: boolean;
}

function framed(chunks: readonly (string | Uint8Array)[]): Told {
  const framer = new Framer();
  const frames: string[] = [];
  const put = (frame: Uint8Array) => frames.push(Buffer.from(frame).toString('latin1'));
  for (const chunk of chunks) {
    framer.feed(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.from(chunk));
    for (let frame = framer.next(); frame; frame = framer.next()) put(frame);
  }
  const { endless } = framer;
  const { last, cut } = framer.end();
  if (last) put(last);
  return { frames, cut, tooLong: framer.tooLong, endless };
}

const bytewise = (stream: string) => [...stream];

const streams: readonly (readonly [what: string, stream: string, frames: readonly string[]])[] = [
  ['counted frames', '5 <1>ab6 <1>abc', ['<1>ab', '<1>abc']],
  ['lines', '<1>a\n<1>b\n', ['<1>a', '<1>b']],
  ['lines with CR LF', '<1>a\r\n<1>b\r\n', ['<1>a', '<1>b']],
  ['lines ended by NUL', '<1>a\0<1>b\0', ['<1>a', '<1>b']],
  ['a last line without an end', '<1>a\n<1>b', ['<1>a', '<1>b']],
  ['both, frame by frame', '4 <1>a<1>b\n4 <1>c', ['<1>a', '<1>b', '<1>c']],
  ['counted frames with a line end behind them', '4 <1>a\n4 <1>b\r\n', ['<1>a', '<1>b']],
  ['line ends within a counted frame', '9 <1>a\n\nb\nc\n', ['<1>a\n\nb\nc']],
  ['empty lines', '\n\r\n\0<1>a\n\n', ['<1>a']],
  ['a count without a space', '2bc\n<1>a\n', ['2bc', '<1>a']],
  ['a count with zeros before it', '000002 ab\n<1>a\n', ['000002 ab', '<1>a']],
  ['a count too large', '99999999999 <1>a\n<1>b\n', ['99999999999 <1>a', '<1>b']],
  ['a count just too large', `${syslogFrameBytesMax + 1} <1>a\n`, [`${syslogFrameBytesMax + 1} <1>a`]],
  ['a count too small', '3 <1>abc\n<1>d\n', ['<1>', 'abc', '<1>d']],
  ['digits and nothing else', '12345', ['12345']],
  ['text without PRI', 'hello\n', ['hello']],
];

describe('a stream', () => {
  test.each(streams)('of %s', (_, stream, frames) => {
    expect(framed([stream])).toMatchObject({ frames, cut: false, tooLong: 0 });
    expect(framed(bytewise(stream))).toMatchObject({ frames, cut: false, tooLong: 0 });
  });

  test('cut off within a counted frame says so and gives no half message', () => {
    expect(framed(['9 <1>a'])).toMatchObject({ frames: [], cut: true });
  });

  test('whose count lies upwards swallows no more than the count, and goes on', () => {
    expect(framed(['12 <1>a\n<1>b\n<1>c\n<1>d\n']).frames).toEqual(['<1>a\n<1>b\n<1', '>c', '<1>d']);
  });

  test('of any bytes and any chunks has the messages it has whole', () => {
    const piece = fc.oneof(
      fc.constantFrom('5 <1>ab', '<1>a\n', '\n', '\r\n', '\0', '3', ' ', '12 <', '0', '7bc'),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (pieces, cuts) => {
          const stream = pieces.join('');
          const chunks: string[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = cuts[turn % cuts.length]!;
            chunks.push(stream.slice(at, at + size));
            at += size;
          }
          const whole = framed([stream]);
          expect(framed(chunks)).toEqual(whole);
          expect(framed(bytewise(stream))).toEqual(whole);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a frame that is too long', () => {
  const long = 'x'.repeat(syslogMessageBytesMax + 5);

  test.each([
    ['counted', `${long.length} ${long}4 <1>a`],
    ['a line', `${long}\n<1>a\n`],
  ])('is cut and counted: %s', (_, stream) => {
    const told = framed([stream]);
    expect(told.frames.map((frame) => frame.length)).toEqual([syslogMessageBytesMax, 4]);
    expect(told.tooLong).toBe(1);
    expect(framed(stream.match(/[\s\S]{1,1000}/g)!)).toEqual(told);
  });

  test('of exactly the bound is whole', () => {
    expect(framed([`${'x'.repeat(syslogMessageBytesMax)}\n`])).toMatchObject({ tooLong: 0, endless: false });
  });

  test('and never ends is endless: no more of it is read, its beginning is kept', () => {
    const framer = new Framer();
    const chunk = Buffer.alloc(10_000, 'x');
    let fed = 0;
    while (!framer.endless && fed < 1_000_000) {
      framer.feed(chunk);
      expect(framer.next()).toBeNull();
      fed += chunk.length;
    }
    expect(fed).toBeGreaterThan(syslogFrameBytesMax);
    expect(fed).toBeLessThan(2 * syslogFrameBytesMax);
    expect(framer.end().last?.length).toBe(syslogMessageBytesMax);
    expect(framer.tooLong).toBe(1);
  });
});
