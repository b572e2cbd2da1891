// NETCONF framing, fed by hand: whole, a byte at a time, and wrong.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encode, Framing } from '../../adapters/actuator-netconf/framing.ts';

type Cut = (bytes: Buffer) => readonly Uint8Array[];
const whole: Cut = (bytes) => [bytes];
const single: Cut = (bytes) => [...bytes].map((byte) => Uint8Array.of(byte));

function read(bytes: Buffer, cut: Cut, style: 'end-of-message' | 'chunked', bytesMax = 10_000) {
  const framing = new Framing(bytesMax);
  if (style === 'chunked') framing.chunked();
  const messages: string[] = [];
  let broken: string | undefined;
  for (const part of cut(bytes)) broken = framing.feed(part, (text) => messages.push(text));
  return { messages, broken };
}

const chunked = (text: string, bytesMax?: number) => read(Buffer.from(text), whole, 'chunked', bytesMax);

test.each(['end-of-message', 'chunked'] as const)('what %s framing writes it reads, however it is cut', (style) => {
  const body = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => !text.includes(']]>]]>'));
  fc.assert(
    fc.property(fc.array(body, { maxLength: 6 }), fc.integer({ min: 1, max: 20 }), (bodies, size) => {
      const bytes = Buffer.from(bodies.map((text) => encode(text, style)).join(''));
      const pieces: Cut = (all) =>
        Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.subarray(at * size, (at + 1) * size));
      const messages = bodies.map((text) => Buffer.from(text).toString());
      for (const cut of [whole, single, pieces]) expect(read(bytes, cut, style)).toEqual({ messages, broken: undefined });
    }),
  );
});

test('an end-of-message that begins twice is found', () => {
  expect(read(Buffer.from('a]]]>]]>b]]>]]]>]]>'), single, 'end-of-message').messages).toEqual(['a]', 'b]]>]']);
});

test('chunks of one message are joined, also within a character', () => {
  const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  const bytes = Buffer.concat([Buffer.from('\n#1\n'), first, Buffer.from('\n#1\n'), second, Buffer.from('\n##\n')]);
  expect(read(bytes, single, 'chunked').messages).toEqual(['é']);
});

test('a chunk may hold what looks like framing', () => {
  const text = 'x\n##\n]]>]]>\n#1\n';
  expect(chunked(encode(text, 'chunked')).messages).toEqual([text]);
});

test('chunks may begin while the hello is handed on', () => {
  const framing = new Framing(1_000);
  const messages: string[] = [];
  framing.feed(Buffer.from(`${encode('hello', 'end-of-message')}\n${encode('reply', 'chunked')}`), (text) => {
    messages.push(text);
    framing.chunked();
  });
  expect(messages).toEqual(['hello', 'reply']);
});

test.each([
  ['no line end first', '#1\nx\n##\n'],
  ['a size of nothing', '\n#\n'],
  ['a size of zero', '\n#0\n'],
  ['a size with a leading zero', '\n#01\n'],
  ['a size that is no number', '\n#1x\n'],
  ['a size of eleven digits', '\n#12345678901\n'],
  ['an end before any chunk', '\n##\n'],
  ['data longer than its size', '\n#1\nxy'],
  ['a negative size', '\n#-1\n'],
])('%s breaks the stream, and it stays broken', (_name, text) => {
  const { broken, messages } = chunked(text);
  expect(broken).toBeDefined();
  expect(messages).toEqual([]);
  expect(chunked(`${text}${encode('<a/>', 'chunked')}`).messages).toEqual([]);
});

test('a size beyond the bound is refused before its bytes come', () => {
  expect(chunked('\n#4294967295\n').broken).toContain('4294967295');
});

test.each(['end-of-message', 'chunked'] as const)('a message beyond the bound is refused in %s framing', (style) => {
  const small = chunks('x'.repeat(101));
  const bytes = Buffer.from(style === 'chunked' ? small : 'x'.repeat(101));
  for (const cut of [whole, single]) expect(read(bytes, cut, style, 100).broken).toBeDefined();
});

/** One byte a chunk. */
function chunks(text: string): string {
  return `${[...text].map((character) => `\n#1\n${character}`).join('')}\n##\n`;
}

test('no bytes make it throw or hand on what was not framed', () => {
  const pieces = fc.constantFrom('\n#', '3\n', 'abc', '\n##\n', ']]>]]>', ']]>', '#', '0', '\n', '99999999');
  const part = fc.oneof(
    pieces.map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 10 }),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 40 }),
      fc.constantFrom('end-of-message' as const, 'chunked' as const),
      (parts, style) => {
        const bytes = Buffer.concat(parts);
        const result = read(bytes, whole, style, 200);
        expect(read(bytes, single, style, 200)).toEqual(result);
        expect(Buffer.byteLength(result.messages.join(''))).toBeLessThanOrEqual(bytes.length * 3);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a message of very many pieces costs no more than its bytes', () => {
  // Searching or copying the whole again for each piece would be 10^10 steps and more: the test would not end.
  const text = 'x]]>]'.repeat(40_000);
  expect(read(Buffer.from(encode(text, 'end-of-message')), single, 'end-of-message', 2_000_000).messages[0]).toHaveLength(
    text.length,
  );
  expect(read(Buffer.from(chunks(text)), single, 'chunked', 2_000_000).messages[0]).toHaveLength(text.length);
});
