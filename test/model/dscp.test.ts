// One word for a DSCP.
import { expect, test } from 'vitest';
import { dscpWord, dscpWords, isDscp } from '../../src/model/dscp.ts';

test.each([
  ['0', 'default'],
  ['00', 'default'],
  ['cs0', 'default'],
  ['Default', 'default'],
  ['46', 'ef'],
  ['EF', 'ef'],
  ['34', 'af41'],
  ['AF41', 'af41'],
  ['32', 'cs4'],
  ['44', 'voice-admit'],
  ['va', 'voice-admit'],
  ['45', '45'],
  ['07', '7'],
  [' cs4 ', 'cs4'],
  ['toString', 'tostring'],
])('%j is %s', (written, word) => {
  expect(dscpWord(written)).toBe(word);
});

test('every number has one word, and every word is its own', () => {
  const words = Array.from({ length: 64 }, (_, dscp) => dscpWord(String(dscp)));
  expect(new Set(words).size).toBe(64);
  expect(words.map(dscpWord)).toEqual(words);
});

test('numbers of six bits and the words for them are marks, and nothing else is', () => {
  const marks = [...Array.from({ length: 64 }, (_, dscp) => String(dscp)), ...dscpWords, '07', 'EF', ' cs4 ', 'CS0', 'VA'];
  expect(marks.filter((written) => !isDscp(written))).toEqual([]);
  const others = ['', '64', '-1', '046', '1.5', '4 5', 'af45', 'cs8', 'constructor'];
  expect(others.filter(isDscp)).toEqual([]);
});
