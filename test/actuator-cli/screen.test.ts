// What a terminal shows, from bytes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Screen } from '../../adapters/actuator-cli/screen.ts';

function shown(...chunks: (string | Uint8Array)[]): { lines: string[]; line: string } {
  const screen = new Screen();
  const lines: string[] = [];
  for (const chunk of chunks) screen.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, (line) => lines.push(line));
  return { lines, line: screen.line() };
}

test.each([
  ['a line end finishes a line', 'one\r\ntwo', ['one'], 'two'],
  ['a carriage return alone writes over', 'abcdef\rXY', [], 'XYcdef'],
  ['a backspace steps back and erases nothing', 'abc\b\bX', [], 'aXc'],
  ['backspaces stop at the first column', '\b\b\bab', [], 'ab'],
  ['a pager wipes its mark', ' --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\bnext', [], 'next      '],
  ['colour is dropped', '\x1b[7m(END)\x1b[m', [], '(END)'],
  ['erasing to the end obeys the cursor', 'abcdef\r\x1b[Kxy', [], 'xy'],
  ['erasing backwards is left alone', 'abc\x1b[1K', [], 'abc'],
  ['erasing the line forgets it', 'abc\x1b[2Kd', [], 'd'],
  ['the cursor moves left, right and to a column', 'abcdef\x1b[3DX\x1b[1CY\x1b[1GZ', [], 'ZbcXeY'],
  ['the cursor never leaves the line', 'ab\x1b[999Cc\x1b[999Dd\x1b[999Ge', [], 'dbce'],
  ['a title is dropped', 'a\x1b]0;title\x07b', [], 'ab'],
  ['a title ended by ESC backslash is dropped', 'a\x1b]0;title\x1b\\b', [], 'ab'],
  ['a character set choice is dropped', '\x1b(Ba', [], 'a'],
  ['NUL, BEL and DEL are dropped', 'a\0\x07\x7fb', [], 'ab'],
  ['tabs stay', 'a\tb', [], 'a\tb'],
])('%s', (_name, bytes, lines, line) => {
  expect(shown(bytes)).toEqual({ lines, line });
});

test('a character of several bytes is whole however it is cut', () => {
  expect(shown(Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])).lines).toEqual(['é']);
});

test('bytes that are no UTF-8 are shown as such and end nothing', () => {
  expect(shown(Buffer.from([0xff, 0x61, 0x0a])).lines).toEqual(['\ufffda']);
});

test('an escape sequence without end ends by itself', () => {
  const { lines } = shown(`\x1b[${'1'.repeat(1_000)}\nseen\n`);
  expect(lines.at(-1)).toBe('seen');
});

test('fed whole or a byte at a time it shows the same', () => {
  const pieces = fc.constantFrom(
    'ab',
    '\r',
    '\n',
    '\b',
    '\x1b',
    '[',
    'K',
    '2',
    'D',
    ']',
    '\x07',
    '(',
    'é',
    '\u{1f600}',
    ' ',
    '\0',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 60 }), (parts) => {
      const bytes = Buffer.from(parts.join(''));
      const single = [...bytes].map((byte) => Buffer.from([byte]));
      expect(shown(...single)).toEqual(shown(bytes));
    }),
    { numRuns: 1_000 },
  );
});

test('a line written over a million times costs no more than its bytes', () => {
  // Copying the line at each carriage return would be 10^12 steps: the test would not end.
  const long = 'x'.repeat(1_000_000);
  expect(shown(long, '\ry'.repeat(1_000_000), '\n').lines[0]).toHaveLength(1_000_000);
});
