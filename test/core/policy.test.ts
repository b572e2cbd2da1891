import { EMPTY, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { exclusive, isDesire, present, resourceKey } from '../../src/core/desire.ts';
import { isPolicy, type PolicySpec, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import type { Selector } from '../../src/core/selector.ts';
import { fhrp, syslog } from '../../src/core/selectors.ts';
import { OperatorError } from '../../src/model/errors.ts';
import { mark } from './marbles.ts';

/** As somebody writes it whose editor shows no types. */
const written = (spec: Record<string, unknown>) =>
  policy({ name: 'p', on: syslog(), ...spec } as unknown as PolicySpec<Selector>);

describe('policy()', () => {
  test('takes the least there is', () => {
    expect(written({ ensure: () => [] })).toMatchObject({
      offbox: 'policy',
      name: 'p',
      describe: '',
      on: [{ select: 'syslog' }],
    });
    expect(Object.keys(written({ pipe: () => EMPTY }))).toEqual(['offbox', 'name', 'describe', 'on', 'late', 'pipe']);
  });

  test('keeps what is said, lengths of time in milliseconds', () => {
    const made = policy({
      name: 'p',
      describe: 'Says so.',
      on: [fhrp.changed(), syslog()],
      key: () => 'k',
      settle: { quiet: '2s', atMost: '2s' },
      resync: '1.5h',
      validFor: '2h',
      ensure: () => [],
    });
    expect(made).toMatchObject({
      describe: 'Says so.',
      settle: { quiet: '2s', atMost: '2s' },
      resyncMs: 5_400_000,
      validForMs: 7_200_000,
    });
    expect(made.on).toHaveLength(2);
    expect(isPolicy(made)).toBe(true);
  });

  test.each([
    ['no name', { name: undefined }, 'Use 1 to 63 lower-case letters'],
    ['a name that no file could have', { name: 'My Policy' }, 'Use 1 to 63 lower-case letters'],
    ['a name that would break an id', { name: 'a@b/c' }, 'Use 1 to 63 lower-case letters'],
    ['a name too long', { name: 'a'.repeat(64) }, 'Use 1 to 63 lower-case letters'],
    ['nothing to listen to', { on: [] }, 'Give it a selector such as fhrp.changed()'],
    ['no `on` at all', { on: undefined }, 'Give it a selector such as fhrp.changed()'],
    ['a selector that was not called', { on: fhrp.changed }, 'Give it a selector such as fhrp.changed()'],
    ['neither ensure nor pipe', { ensure: undefined }, 'Say what to ensure or to hold, or return intents from a pipe'],
    ['both', { pipe: () => EMPTY }, 'exactly one of `ensure`, `hold` and `pipe`'],
    ['a field misspelled', { setle: { quiet: '2s' } }, 'it has no field `setle`. With `ensure` it takes name, describe'],
    ['a field of a hold', { atMost: '30m' }, 'it has no field `atMost`'],
    ['settle misspelled within', { settle: { quiet: '2s', atmost: '6s' } }, '`settle` has no field `atmost`'],
    ['settle that is no length of time', { settle: { quiet: '2 s' } }, 'settle.quiet: "2 s" is not a length of time'],
    ['settle without quiet', { settle: {} }, 'settle.quiet: "undefined" is not a length of time'],
    [
      'settle that ends before it is quiet',
      { settle: { quiet: '2s', atMost: '1s' } },
      'settle.atMost is shorter than settle.quiet. Make it longer',
    ],
    ['resync that is no length of time', { resync: 'often' }, 'resync: "often" is not a length of time'],
    ['resync that is a poll', { resync: '999ms' }, 'Use minutes'],
    ['validFor that is shorter than without it', { validFor: '30s' }, 'such as 24h'],
    ['validFor that keeps the journal', { validFor: '8d' }, 'such as 24h'],
    [
      'settle beside a pipe',
      { ensure: undefined, pipe: () => EMPTY, settle: { quiet: '1s' } },
      '`settle` says nothing beside a pipe. Use its operators',
    ],
    ['key beside a pipe', { ensure: undefined, pipe: () => EMPTY, key: () => '' }, '`key` says nothing beside a pipe'],
    ['resync beside a pipe', { ensure: undefined, pipe: () => EMPTY, resync: '5m' }, '`resync` says nothing beside a pipe'],
  ])('refuses %s, with the remedy', (_, spec, text) => {
    const make = () => written({ ensure: () => [], ...spec });
    expect(make).toThrow(OperatorError);
    expect(make).toThrow(text);
    expect(make).toThrow(/^Policy "/);
  });

  test.each([undefined, null, 0, 'policy', {}, { offbox: 'selector' }])('tells that %j is no policy', (value) => {
    expect(isPolicy(value)).toBe(false);
  });
});

describe('a desire', () => {
  test('of a resource is present, or absent', () => {
    const there = bgpNetwork({ target: 'r1' }, '23.0.0.0/8');
    expect(there).toMatchObject({
      desire: 'resource',
      desired: 'present',
      resource: { kind: 'bgp-network', target: 'r1', prefix: '23.0.0.0/8', vrf: 'default' },
    });
    expect([there.absent().desired, there.absent().absent().desired]).toEqual(['absent', 'absent']);
    expect(bgpNetwork({ target: 'r1', vrf: 'blue' }, '23.0.0.0/8').resource.vrf).toBe('blue');
  });

  test.each([
    ['198.51.100.1/24', 'bgpNetwork(): "198.51.100.1/24" has bits beyond its length. Did you mean 198.51.100.0/24?'],
    ['198.51.100.0', 'bgpNetwork(): "198.51.100.0" is not an IPv4 prefix. Write it as 23.0.0.0/8.'],
    [undefined as never, 'bgpNetwork(): "undefined" is not an IPv4 prefix. Write it as 23.0.0.0/8.'],
  ])('of the prefix %s is refused by the word that was called, with what to write', (prefix, text) => {
    const make = () => bgpNetwork({ target: 'r1' }, prefix);
    expect(make).toThrow(OperatorError);
    expect(make).toThrow(text);
  });

  test('is told from whatever else a pipe may give', () => {
    expect(
      [mark({ text: 'x' }), exclusive('g', () => mark({ text: 'x' })), present({ kind: 'k', target: 't' })].map(isDesire),
    ).toEqual([true, true, true]);
    expect([undefined, null, 7, {}, { desire: 'other' }, of(1)].map(isDesire)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test('names its resource by all its fields, in whatever order, and nothing else', () => {
    expect(resourceKey({ kind: 'k', target: 't', a: 1, b: 'x y' })).toBe(resourceKey({ b: 'x y', a: 1, target: 't', kind: 'k' }));
    const keys = [{ a: 1 }, { a: '1' }, { b: 1 }, { a: 1, b: 1 }, {}].map((rest) =>
      resourceKey({ kind: 'k', target: 't', ...rest }),
    );
    expect(new Set(keys).size).toBe(5);
  });
});
