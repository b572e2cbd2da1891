// A pipe that is put back is subscribed to again: what it gives then, it has given before.
import { map, merge, of, startWith } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/core/engine.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { SavedEngine } from '../../src/core/saved-engine.ts';
import type { SyslogEvent } from '../../src/core/selector.ts';
import { piped } from './marbles.ts';
import { lines, Rig, textEvent } from './rig.ts';

/** The rig goes on with an engine put back from a snapshot of now. */
function putBack(rig: Rig, subject: Policy): void {
  const saved = JSON.parse([...rig.engine.save()].join('')) as SavedEngine;
  rig.engine = new Engine([{ policy: subject, version: 'v1' }]);
  rig.engine.restore(saved);
}

const first = { text: 'first', target: 'r1' } as SyslogEvent;
const key = ({ target }: SyslogEvent): string => target;

describe('what a pipe gives as soon as it is subscribed to', () => {
  test.each([
    ['threshold', piped((letters, { threshold }) => letters.pipe(startWith(first), threshold(3, '1h')))],
    [
      'perKey',
      piped((letters, { perKey, threshold }) =>
        letters.pipe(
          startWith(first),
          perKey(key, (one) => one.pipe(threshold(3, '1h'))),
        ),
      ),
    ],
    [
      'a group',
      piped((letters, { perKey, threshold }) =>
        letters.pipe(perKey(key, (one) => one.pipe(startWith(first), threshold(4, '1h')))),
      ),
    ],
    [
      'within',
      piped((letters, { within }) =>
        merge(of(first), letters).pipe(
          within(3, '1h'),
          map((all) => all.at(-1)!),
        ),
      ),
    ],
  ])('is not counted again: %s', (_, subject) => {
    const wanted = [false, true].map((isBack) => {
      const rig = new Rig([subject]);
      return ['a', 'b', 'c'].map((text) => {
        if (isBack) putBack(rig, subject);
        return lines(rig.event(textEvent(text)));
      });
    });
    expect(wanted[1]).toEqual(wanted[0]);
  });

  test('does not put off what settles', () => {
    const subject = piped((letters, { settle }) => letters.pipe(startWith(first), settle({ quiet: '10s' })));
    const rig = new Rig([subject]);
    rig.pass(6_000);
    rig.feed({ kind: 'tick' });
    putBack(rig, subject);
    expect(lines(rig.pass(4_000))).toEqual(['present first']);
  });
});
