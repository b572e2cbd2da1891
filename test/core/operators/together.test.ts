// All operators in one pipe, fed at random: a restart at any time changes nothing, nor does somebody who listens; what is
// remembered is plain data, and quiet costs no memory. And two of them against a search through all that came.
import fc from 'fast-check';
import { map, merge } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { SyslogEvent } from '../../../src/core/selector.ts';
import { lines, Rig, replay, textEvent } from '../rig.ts';
import { caseless, correlating, is, isCapital, isSmall, spelling } from './correlating.ts';

const everything = spelling((letters, tools) => {
  const { absent, allOf, dampening, pair, perKey, sequence, settle, suppress, threshold, within } = tools;
  const key = caseless;
  const spelled = (events: readonly SyslogEvent[]) => events.map(({ text }) => text).join('');
  return merge(
    letters.pipe(pair(isSmall, isCapital, { within: '500ms', key }), map(spelled)),
    letters.pipe(pair(is('a'), is('b'), { within: '500ms', order: 'given' }), map(spelled)),
    letters.pipe(
      absent(isCapital, { after: isSmall, within: '400ms', key }),
      map(({ text }) => `no ${text}`),
    ),
    letters.pipe(allOf([is('a'), is('b'), is('c')], { within: '700ms' }), map(spelled)),
    letters.pipe(sequence([is('a'), is('b'), is('a')], { within: '300ms', unless: is('C') }), map(spelled)),
    letters.pipe(sequence([isSmall, isCapital], { within: '300ms', unless: 'anything-else', key }), map(spelled)),
    letters.pipe(within(3, '500ms', { key }), map(spelled)),
    letters.pipe(
      suppress('600ms', { key }),
      map(({ event, suppressed }) => `${event.text}${suppressed}`),
    ),
    letters.pipe(
      dampening({ halfLife: '1s', key }),
      map(({ kind, penalty }) => `${kind} ${penalty}`),
    ),
    letters.pipe(
      perKey(caseless, (group) =>
        group.pipe(threshold(2, '300ms'), settle({ quiet: '100ms' }), absent(isCapital, { after: isSmall, within: '1s' })),
      ),
      map(({ text }) => `group ${text}`),
    ),
  );
});

type Letters = readonly (readonly [gap: number, letter: string])[];
const letter = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.constantFrom('a', 'b', 'c', 'A', 'B', 'C'));
const someLetters = fc.array(letter, { minLength: 1, maxLength: 40 });

function played(letters: Letters, restartAt = -1, trace?: () => void): Rig {
  const rig = new Rig([everything], trace ? { trace } : {});
  for (const [index, [gap, text]] of letters.entries()) {
    if (index === restartAt) rig.restart();
    rig.pass(gap);
    rig.event(textEvent(text));
  }
  rig.pass(20_000);
  return rig;
}

describe('all operators together', () => {
  test('want the same wherever they are cut by a restart, and whether or not somebody listens', () => {
    fc.assert(
      fc.property(someLetters, fc.nat(), (letters, cut) => {
        const whole = played(letters);
        expect(whole.faults).toEqual([]);
        const wanted = (rig: Rig): string[] => lines(rig.intents);
        expect(wanted(played(letters, cut % letters.length))).toEqual(wanted(whole));
        expect(wanted(played(letters, -1, () => undefined))).toEqual(wanted(whole));
        expect(replay([everything], whole.entries).intents).toEqual(whole.intents);
      }),
    );
  });

  test('remember plain data, and after quiet nothing but what suppress has to tell, and the groups', () => {
    fc.assert(
      fc.property(someLetters, (letters) => {
        const { cells } = played(letters).engine;
        const snapshot = cells.snapshot();
        expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
        const places = cells.remembered('marbles').map(({ place }) => place.replace(/.*\d\./, ''));
        expect(places.filter((place) => place !== 'suppress' && place !== 'perKey')).toEqual([]);
      }),
    );
  });

  test('a pair and an absence are found where a search through all that came finds them', () => {
    const pairs = correlating((letters, { pair }) => letters.pipe(pair(isSmall, isCapital, { within: '500ms', key: caseless })));
    const absences = spelling((letters, { absent }) =>
      letters.pipe(
        absent(isCapital, { after: isSmall, within: '400ms', key: caseless }),
        map(({ text }) => text),
      ),
    );
    fc.assert(
      fc.property(someLetters, (letters) => {
        let at = 0;
        const timed = letters.map(([gap, text]) => {
          at += gap;
          return { at, text, key: text.toLowerCase() };
        });
        const rig = new Rig([pairs]);
        const other = new Rig([absences]);
        for (const [gap, text] of letters) {
          for (const one of [rig, other]) {
            one.pass(gap);
            one.event(textEvent(text));
          }
        }
        other.pass(1_000);
        expect(rig.intents.map(targetText)).toEqual(pairsIn(timed));
        expect(other.intents.map(targetText).sort()).toEqual(absencesIn(timed).sort());
      }),
    );
  });
});

interface Timed {
  readonly at: number;
  readonly text: string;
  readonly key: string;
}

const targetText = ({ want }: Rig['intents'][number]): string => (want.kind === 'ensure' ? want.resource.target : '');

/** Each takes the latest of the other case before it that is of its key, not used, and not followed by one of its own. */
function pairsIn(timed: readonly Timed[]): string[] {
  const used = new Set<Timed>();
  return timed.flatMap((one, index) => {
    const before = timed.slice(0, index).findLast((each) => each.key === one.key && !used.has(each));
    if (!before || before.text === one.text || one.at - before.at >= 500) return [];
    used.add(before).add(one);
    for (const each of timed.slice(0, index)) if (each.key === one.key) used.add(each);
    return [`${one.key}${one.key.toUpperCase()}`];
  });
}

/** A small letter that no wait covers begins one; it rings unless its capital comes in time. */
function absencesIn(timed: readonly Timed[]): string[] {
  const rung: string[] = [];
  const waitsUntil = new Map<string, number>();
  for (const [index, { at, text, key }] of timed.entries()) {
    if (text !== key || at < (waitsUntil.get(key) ?? 0)) continue;
    const capital = timed.slice(index).find((each) => each.key === key && each.text !== key);
    const silenced = capital !== undefined && capital.at - at < 400;
    waitsUntil.set(key, silenced ? capital.at : at + 400);
    if (!silenced) rung.push(text);
  }
  return rung;
}
