// read and act in a pipe: intents whose outcome comes back as an entry.
import { catchError, EMPTY, map, merge, mergeMap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { present } from '../../src/core/desire.ts';
import { policy } from '../../src/core/policy.ts';
import { ofMeaning } from '../../src/core/policy-run.ts';
import { fhrp, hsrp, interfaces, syslog } from '../../src/core/selectors.ts';
import { mark } from './marbles.ts';
import { gap, hsrpEvent, lines, Rig, replay, row, textEvent } from './rig.ts';

const asks = policy({
  name: 'asks',
  on: syslog(),
  pipe: (letters, { read, act }) =>
    letters.pipe(
      mergeMap((letter) => read(letter.target, 'fhrp').pipe(map((rows) => ({ letter, rows })))),
      mergeMap(({ letter, rows }) =>
        act(mark({ text: `${letter.text}${rows.length}` })).pipe(map((outcome) => ({ letter, outcome }))),
      ),
      map(({ letter, outcome }) => present({ kind: 'told', target: `${letter.text} ${outcome.kind}` })),
    ),
});

describe('a pipe', () => {
  test('asks, acts, waits and goes on, each answer to whoever asked for it', () => {
    const rig = new Rig([asks]);
    const [first] = rig.event(textEvent('a', 'r1'));
    const [second] = rig.event(textEvent('b', 'r2'));
    expect(lines([first!, second!])).toEqual(['read r1', 'read r2']);
    const [actB] = rig.reading(second!, { kind: 'rows', rows: [row('active')] });
    const [actA] = rig.reading(first!, { kind: 'rows', rows: [] });
    expect(lines([actA!, actB!])).toEqual(['present a0', 'present b1']);
    expect(lines(rig.outcome(actA!, 'failed'))).toEqual(['present a failed']);
    expect(lines(rig.outcome(actB!, 'done'))).toEqual(['present b done']);
    expect(replay([asks], rig.entries).intents).toEqual(rig.intents);
  });

  test('hears nothing of a target that could not be read', () => {
    const rig = new Rig([asks]);
    for (const kind of ['unreachable', 'unreadable'] as const) {
      const [read] = rig.event(textEvent('a'));
      expect(rig.reading(read!, { kind, reason: 'x' })).toEqual([]);
      expect(rig.reading(read!, { kind: 'rows', rows: [] })).toEqual([]);
    }
  });

  test('waits on while what it wants is held, and hears an outcome once', () => {
    const rig = new Rig([asks]);
    const [read] = rig.event(textEvent('a'));
    const [act] = rig.reading(read!, { kind: 'rows', rows: [] });
    expect(rig.outcome(act!, 'held')).toEqual([]);
    expect(rig.reading(`${act!.id}/check`, { kind: 'rows', rows: [] }, 'r1')).toEqual([]);
    expect(lines(rig.outcome(act!, 'expired'))).toEqual(['present a expired']);
    expect(rig.outcome(act!, 'done')).toEqual([]);
  });

  test('is unsettled while it waits for an answer, until it is stopped, and always where it asks as soon as it is begun', () => {
    const once = policy({
      name: 'once',
      on: syslog(),
      pipe: (_, { read }) => read('r9', 'fhrp').pipe(map(() => mark({ text: 'x' }))),
    });
    const rig = new Rig([once, asks]);
    expect(rig.engine.unsettled()).toEqual(['once']);
    const [read] = rig.event(textEvent('a'));
    expect(rig.engine.unsettled()).toEqual(['once', 'asks']);
    const [act] = rig.reading(read!, { kind: 'rows', rows: [] });
    rig.outcome(act!, 'done');
    expect(rig.engine.unsettled()).toEqual(['once']);
    rig.event(textEvent('b'));
    rig.feed({ kind: 'quarantine', policy: 'asks', reason: 'somebody said so', cause: 1 });
    expect(rig.engine.unsettled()).toEqual(['once']);
  });

  test('is unsettled for good where a group asks as soon as it is opened: what came of it is in closures', () => {
    const grouped = policy({
      name: 'grouped',
      on: syslog(),
      pipe: (letters, { perKey, read }) =>
        letters.pipe(
          perKey(
            ({ text }) => text,
            (group) => read('r9', 'fhrp').pipe(mergeMap(() => group.pipe(map(mark)))),
          ),
        ),
    });
    const rig = new Rig([grouped]);
    const [read] = rig.event(textEvent('a'));
    expect(rig.engine.unsettled()).toEqual(['grouped']);
    // Put back without the answer the group would be deaf.
    rig.reading(read!, { kind: 'rows', rows: [] });
    expect(lines(rig.event(textEvent('a')))).toEqual(['present a']);
    expect(rig.engine.unsettled()).toEqual(['grouped']);
  });

  test('is unsettled for good where it has ended: put back it would hear again', () => {
    const ends = policy({
      name: 'ends',
      on: syslog(),
      pipe: (letters) =>
        letters.pipe(
          map((letter) => {
            if (letter.text === 'b') throw new Error('not this one');
            return mark(letter);
          }),
          catchError(() => EMPTY),
        ),
    });
    const rig = new Rig([ends]);
    expect(lines(rig.event(textEvent('a')))).toEqual(['present a']);
    expect(rig.engine.unsettled()).toEqual([]);
    rig.event(textEvent('b'));
    expect([rig.faults, rig.event(textEvent('a'))]).toEqual([[], []]);
    expect(rig.engine.unsettled()).toEqual(['ends']);
  });

  test('is settled where it ends as soon as it is begun: put back it does so again', () => {
    const says = policy({ name: 'says', on: syslog(), pipe: (_, { notice }) => notice('begun', 'it has begun') });
    expect(new Rig([says]).engine.unsettled()).toEqual([]);
  });

  test('is not woken by a gap: it has said nothing of a state', () => {
    expect(new Rig([asks]).event(gap())).toEqual([]);
  });

  test('is refused where it takes a message for a meaning', () => {
    expect(() => ofMeaning(syslog())).toThrow("Write filter((event) => event.kind === 'syslog') instead.");
  });

  test('tells its events apart by meaning and fields', () => {
    const sorts = policy({
      name: 'p',
      on: [hsrp.stateChanged(), fhrp.changed(), syslog()],
      pipe: (events) =>
        merge(
          events.pipe(
            ofMeaning(hsrp.stateChanged({ to: 'active' })),
            map(({ group }) => mark({ text: `group ${group}` })),
          ),
          events.pipe(
            ofMeaning(fhrp.changed({ gateway: 'lan42' })),
            map(({ member }) => mark({ text: member })),
          ),
          events.pipe(
            ofMeaning(interfaces.down()),
            map(() => mark({ text: 'never' })),
          ),
        ),
    });
    const rig = new Rig([sorts]);
    expect(lines(rig.event(hsrpEvent('r1', 'active')))).toEqual(['present group 23']);
    expect(lines(rig.event(hsrpEvent('r2', 'standby', 42)))).toEqual(['present r2']);
    expect(lines(rig.event(textEvent('a')))).toEqual([]);
  });
});
