// What JSON cannot write no snapshot can keep: a policy that would have an operator remember it is stopped, and no other is harmed.
import { map, type Observable, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type PipeTools, type Policy, policy } from '../../src/core/policy.ts';
import type { SyslogEvent } from '../../src/core/selector.ts';
import { syslog } from '../../src/core/selectors.ts';
import { piped } from './marbles.ts';
import { lines, Rig, textEvent } from './rig.ts';

const circle = (): object => {
  const one: { self?: object } = {};
  one.self = one;
  return one;
};

type Operator = (tools: PipeTools) => OperatorFunction<SyslogEvent, unknown>;
const yes = (): boolean => true;
const no = (): boolean => false;

const operators: readonly (readonly [name: string, operator: Operator])[] = [
  ['settle', ({ settle }) => settle({ quiet: '1s' })],
  ['absent', ({ absent }) => absent(no, { after: yes, within: '1s' })],
  ['allOf', ({ allOf }) => allOf([yes, no], { within: '1s' })],
  ['dampening', ({ dampening }) => dampening({ penalty: 3_000 })],
  ['pair', ({ pair }) => pair(yes, no, { within: '1s' })],
  ['sequence', ({ sequence }) => sequence([yes, no], { within: '1s' })],
  ['within', ({ within }) => within(2, '1s')],
];

const keeps = (operator: Operator, what: () => unknown): Policy =>
  policy({
    name: 'keeps',
    on: syslog(),
    pipe: (letters, tools) =>
      letters.pipe(
        map((letter) => ({ ...letter, what: what() })),
        operator(tools),
      ) as Observable<unknown>,
  });

const other = piped((letters, { settle }) => letters.pipe(settle({ quiet: '1s' })));

describe.each(operators)('%s', (name, operator) => {
  test.each([
    ['a bigint', () => 1n, 'a bigint'],
    ['a circle', circle, 'contains itself'],
  ])('given %s stops its policy at once; snapshots are taken, and time goes on meanwhile', (_, what, said) => {
    const rig = new Rig([keeps(operator, what), other]);
    rig.event(textEvent('a'));
    expect(rig.faults.map(({ policy, reason }) => `${policy}: ${reason}`)).toEqual([
      expect.stringMatching(new RegExp(`^keeps: ${name}.*${said}`)),
    ]);
    const pieces = rig.engine.save();
    pieces.next();
    expect(lines(rig.pass(1_000))).toEqual(['present a']);
    expect(() => [...pieces]).not.toThrow();
  });

  test('takes what is shared and deep', () => {
    const shared = { a: [{ b: null, c: undefined }] };
    const rig = new Rig([keeps(operator, () => [shared, shared, [[[[[[[[shared]]]]]]]]])]);
    rig.event(textEvent('a'));
    expect(rig.faults).toEqual([]);
  });
});
