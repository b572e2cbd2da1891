import { expect, test } from 'vitest';
import { messageOf, OperatorError, RuntimeFault, summaryOf, TargetError } from '../../src/model/errors.ts';

const options = { code: 'a-code', remedy: 'Do this.' };

test('an error says what is wrong, then what to do, whether or not the sentence was ended', () => {
  expect(new OperatorError('It is so', options).message).toBe('It is so. Do this.');
  expect(new OperatorError('It is so.', options).message).toBe('It is so. Do this.');
  expect(new OperatorError('Is it so?', options).message).toBe('Is it so? Do this.');
});

test('an error keeps whose it is, its code, its remedy and its cause', () => {
  const cause = new Error('below');
  expect(new OperatorError('x', { ...options, cause })).toMatchObject({ name: 'OperatorError', ...options, retry: false, cause });
  expect(new RuntimeFault('x', options)).toMatchObject({ name: 'RuntimeFault', retry: false, cause: undefined });
  for (const retry of [true, false])
    expect(new TargetError('x', { ...options, retry })).toMatchObject({ name: 'TargetError', retry });
});

test('the summary is the message without the remedy, for another sentence', () => {
  expect(summaryOf(new OperatorError('It is so', options))).not.toContain('Do this');
  expect(summaryOf(new Error('plain'))).toBe('plain');
});

test('whatever was thrown has a text', () => {
  const odd = [
    undefined,
    null,
    7,
    'text',
    Symbol('s'),
    Object.create(null),
    { toString: () => Object.create(null) },
    Object.assign(new Error('x'), { message: Object.create(null) }),
  ];
  for (const thrown of odd) expect(typeof messageOf(thrown)).toBe('string');
  expect(messageOf(new Error('says so'))).toBe('says so');
});
