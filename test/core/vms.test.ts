import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../src/model/entry.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import { eventOf, start } from './rig.ts';
import { type Variant, variants } from './vm-variants.ts';
import { Listener, story, type Word, web1, wordsOf } from './vm-words.ts';

const noStart = (line: string) => !line.startsWith('started');

/** The two hosts' words, each in its own order, mixed as `picks` says. */
function mixed(words: readonly Word[], picks: readonly boolean[]): readonly string[] {
  const left = words.filter(({ host }) => host === 'kvm1').map(({ line }) => line);
  const right = words.filter(({ host }) => host === 'kvm2').map(({ line }) => line);
  return words.map((_, index) => (right.length === 0 || (left.length > 0 && picks[index]) ? left : right).shift()!);
}

describe('a migration', () => {
  test.each(variants)('$name: each event means what it means', ({ words }: Variant) => {
    const listener = story(words);
    expect(listener.migration()).toBeUndefined();
  });

  test.each(variants)('$name: comes to the same in whatever order the two hosts are heard', ({ words, ends }: Variant) => {
    const said = wordsOf(words);
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: said.length, maxLength: said.length }), (picks) => {
        const listener = new Listener();
        for (const [index, line] of mixed(said, picks).entries()) listener.hear(line, index);
        // A source that has left before its destination was heard leaves no start to tell of, or one; never two.
        expect(listener.lines().filter(noStart).join(', ')).toBe(ends);
        expect(listener.lines().length - listener.lines().filter(noStart).length).toBeLessThanOrEqual(1);
        expect(listener.migration()).toBeUndefined();
        const where = ends.includes('migrated') ? ['kvm2'] : ['kvm1'];
        expect(listener.vms.hostsOf(web1.uuid)).toEqual(where);
      }),
    );
  });

  test.each(variants)('$name: is told again by nothing that lists how it stands', ({ words, ends }: Variant) => {
    const listener = story(words);
    const told = listener.told.length;
    const isThere = ends.includes('migrated');
    for (const ms of [60_000, 120_000]) {
      listener.hear(`kvm1 lists ${isThere ? 'shutoff/migrated' : 'running/booted'}`, ms);
      listener.hear(`kvm2 lists ${isThere ? 'running/migrated' : 'nothing'}`, ms);
      listener.hear(`kvm2 reads ${isThere ? 'running/migrated' : 'nothing'}`, ms + 10_000);
    }
    expect(listener.lines().slice(told)).toEqual([]);
  });

  test('tells its addresses and VLANs as last seen: where it has left there are none to be read', () => {
    const listener = story('297 kvm2 started migrated -> started kvm1>kvm2');
    listener.hear('kvm1 stopped migrated', 300);
    expect(listener.told).toEqual([
      { kind: 'vm.migration-started', vm: 'web1', uuid: web1.uuid, from: 'kvm1', to: 'kvm2', macs: ['52:54:00:aa:bb:01'] },
      {
        kind: 'vm.migrated',
        vm: 'web1',
        uuid: web1.uuid,
        from: 'kvm1',
        to: 'kvm2',
        macs: ['52:54:00:aa:bb:01'],
        vlans: [20],
        nics: web1.nics,
      },
      { kind: 'vm.migration-ended', vm: 'web1', uuid: web1.uuid, from: 'kvm1', to: 'kvm2', how: 'migrated' },
    ]);
  });

  test('of a VM that is off is a definition at its destination, and nothing else', () => {
    const listener = new Listener(['kvm1 lists shutoff/shutdown', 'kvm2 lists nothing']);
    story('29 kvm2 defined added -> migrated kvm1>kvm2 offline, ended kvm1>kvm2 migrated', listener);
    story('30000 kvm1 lists nothing\n30000 kvm2 lists shutoff/unknown', listener);
  });

  test('is none: a definition updated, or added where it runs elsewhere', () => {
    story('10 kvm2 defined updated\n20 kvm2 defined added\n30 kvm1 defined added');
  });

  test('is none: save, restore, dump and snapshot iterate too', () => {
    const listener = story(`
      4991 kvm1 suspended paused
      4997 kvm1 iteration 1
      4999 kvm1 iteration 2
      5001 kvm1 completed save
      6821 kvm1 stopped saved
      7464 kvm1 started restored
      7467 kvm1 resumed snapshot
      8000 kvm1 iteration 1
      8100 kvm1 completed dump
      8200 kvm1 completed snapshot`);
    expect(listener.vms.hostsOf(web1.uuid)).toEqual(['kvm1']);
  });

  test('is none: start, pause, reset, shutdown, destroy, undefine', () => {
    story(`
      9913 kvm1 shutdown finished after host request
      9924 kvm1 stopped destroyed
      10538 kvm1 resumed unpaused
      10541 kvm1 started booted
      11000 kvm1 suspended paused
      11500 kvm1 resumed unpaused
      12878 kvm1 stopped crashed
      13202 kvm1 undefined removed`);
  });

  test('goes on while its guest is paused and resumed by hand: only the switch-over undone is its end', () => {
    story(`
      300 kvm2 started migrated -> started kvm1>kvm2
      310 kvm1 iteration 1
      500 kvm1 suspended paused
      900 kvm1 resumed unpaused
      1043 kvm1 suspended migrated
      1050 kvm2 resumed migrated -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`);
  });

  test('back again is another one, also where the words of the first are still to come', () => {
    const listener = new Listener();
    const there = ['started', 'resumed'].map((word) => `kvm2 ${word} migrated`);
    const leaving = (host: string) => ['iteration 1', 'suspended migrated', 'stopped migrated'].map((said) => `${host} ${said}`);
    const lines = [...there, ...leaving('kvm2'), ...leaving('kvm1'), 'kvm1 started migrated', 'kvm1 resumed migrated'];
    for (const [index, line] of lines.entries()) listener.hear(line, index);
    expect(listener.lines().filter(noStart)).toEqual([
      'migrated kvm1>kvm2',
      'ended kvm1>kvm2 migrated',
      'migrated kvm2>kvm1',
      'ended kvm2>kvm1 migrated',
    ]);
  });

  test('there and back, then a gap that lists both: nothing is told', () => {
    const listener = story(`
      300 kvm2 started migrated            -> started kvm1>kvm2
      316 kvm2 resumed migrated            -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      534 kvm1 stopped migrated
      5300 kvm1 started migrated           -> started kvm2>kvm1
      5316 kvm1 resumed migrated           -> migrated kvm2>kvm1, ended kvm2>kvm1 migrated
      5534 kvm2 stopped migrated`);
    for (const order of [
      ['kvm1', 'kvm2'],
      ['kvm2', 'kvm1'],
    ])
      for (const host of order)
        expect(listener.hear(`${host} lists ${host === 'kvm1' ? 'running/migrated' : 'shutoff/migrated'}`, 9_000)).toEqual([]);
  });

  test('seen for the first time when it is long over is none', () => {
    for (const order of [
      ['kvm1 lists shutoff/migrated', 'kvm2 lists running/migrated'],
      ['kvm2 lists running/migrated', 'kvm1 lists shutoff/migrated'],
    ]) {
      expect(new Listener(order).lines()).toEqual([]);
    }
  });

  test('seen for the first time while it is on is told when its source is known', () => {
    const listener = new Listener([]);
    story(
      `
      0 kvm2 lists paused/migration
      10 kvm1 lists running/booted  -> started kvm1>kvm2
      50 kvm2 resumed migrated      -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`,
      listener,
    );
  });

  test('to a third host takes the place of one whose end was lost: each ends once', () => {
    story(`
      300 kvm2 started migrated  -> started kvm1>kvm2
      9000 kvm3 started migrated -> failed kvm1>kvm2, ended kvm1>kvm2 failed, started kvm1>kvm3
      9300 kvm3 resumed migrated -> migrated kvm1>kvm3, ended kvm1>kvm3 migrated`);
  });

  test('of one VM is nothing to another that is on its way at the same time', () => {
    const db1 = { ...web1, vm: 'db1', uuid: '11111111-2222-3333-4444-555555555502', nics: [] };
    const listener = new Listener();
    listener.hear('kvm1 resumed unpaused', 0, db1);
    expect([
      listener.hear('kvm2 started migrated', 300),
      listener.hear('kvm2 started migrated', 301, db1),
      listener.hear('kvm2 stopped failed', 400, db1),
      listener.hear('kvm2 resumed migrated', 500),
    ]).toEqual([
      ['started kvm1>kvm2'],
      ['started kvm1>kvm2'],
      ['failed kvm1>kvm2', 'ended kvm1>kvm2 failed'],
      ['migrated kvm1>kvm2', 'ended kvm1>kvm2 migrated'],
    ]);
    expect(listener.told[1]).toMatchObject({ vm: 'db1', macs: [] });
  });
});

describe('what was lost', () => {
  const begun = '300 kvm2 started migrated -> started kvm1>kvm2';

  test.each([
    ['all of the destination', 'kvm1 stopped migrated', 'kvm2 lists running/migrated'],
    ['all of the source', 'kvm2 resumed migrated', 'kvm1 lists nothing'],
    ['all of both, the source listed first', 'kvm1 lists nothing', 'kvm2 lists running/migrated'],
    ['all of both, the destination listed first', 'kvm2 lists running/migrated', 'kvm1 lists nothing'],
    ['all of both, the source defined still', 'kvm1 lists shutoff/migrated', 'kvm2 lists running/migrated'],
    ['all of both, read', 'kvm1 reads nothing', 'kvm2 reads running/migrated'],
    ['all of both, read the other way round', 'kvm2 reads running/migrated', 'kvm1 reads shutoff/migrated'],
  ])('is made good: %s', (_, first, second) => {
    for (const before of [[], [begun]]) {
      const listener = before.length > 0 ? story(begun) : new Listener();
      listener.hear(first, 50_000);
      listener.hear(second, 60_000);
      expect(listener.lines().filter(noStart)).toEqual(['migrated kvm1>kvm2', 'ended kvm1>kvm2 migrated']);
      expect(listener.vms.hostsOf(web1.uuid)).toEqual(['kvm2']);
    }
  });

  test.each([
    ['the destination listed without it', ['kvm2 lists nothing']],
    ['the destination read without it', ['kvm2 reads nothing']],
    ['the destination with a definition that was there before', ['kvm2 lists shutoff/failed']],
    ['both', ['kvm1 lists running/booted', 'kvm2 lists nothing']],
  ])('is made good: a failure, by %s', (_, lines) => {
    const listener = story(begun);
    for (const line of lines) listener.hear(line, 60_000);
    expect(listener.lines()).toEqual(['started kvm1>kvm2', 'failed kvm1>kvm2', 'ended kvm1>kvm2 failed']);
  });

  test('is made good: a late abort, by the destination; that the source runs again is no proof', () => {
    story(`
      309 kvm2 started migrated       -> started kvm1>kvm2
      1043 kvm1 suspended migrated
      20000 kvm1 lists running/unpaused
      20001 kvm2 lists nothing -> failed kvm1>kvm2, ended kvm1>kvm2 failed`);
  });

  test('is made good: a post-copy whose last word was lost', () => {
    story(`
      310 kvm2 started migrated        -> started kvm1>kvm2
      3121 kvm1 suspended migrated
      3132 kvm2 lists running/postcopy -> migrated kvm1>kvm2
      3150 kvm2 lists running/postcopy
      9000 kvm2 lists running/migrated -> ended kvm1>kvm2 migrated`);
  });

  test('of a VM that nobody knew is no migration', () => {
    const listener = new Listener([]);
    story('0 kvm2 lists running/migrated\n1 kvm1 lists nothing\n2 kvm2 resumed migrated', listener);
  });

  test('in the switch-over: a source listed paused is no destination', () => {
    story(`
      300 kvm2 started migrated       -> started kvm1>kvm2
      310 kvm1 lists paused/migration
      316 kvm2 resumed migrated       -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      320 kvm1 lists paused/migration
      534 kvm1 stopped migrated`);
  });

  test('libvirtd of the destination is restarted while it is on: a listing shows it still coming', () => {
    story(`
      300 kvm2 started migrated       -> started kvm1>kvm2
      2000 kvm2 lists paused/migration
      3000 kvm1 lists running/booted
      4000 kvm2 resumed migrated      -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`);
  });

  test('of the source while the rest of it is on its way is a source listed paused, and no destination', () => {
    story(`
      310 kvm2 started migrated        -> started kvm1>kvm2
      3132 kvm2 resumed post-copy      -> migrated kvm1>kvm2
      3140 kvm1 lists paused/postcopy
      3144 kvm2 resumed migrated       -> ended kvm1>kvm2 migrated
      3150 kvm1 lists paused/postcopy
      4765 kvm1 stopped migrated`);
  });

  test('a source listed before it left and told after it is no return; one that it came back to unheard is', () => {
    const arrived = `
      300 kvm2 started migrated          -> started kvm1>kvm2
      316 kvm2 resumed migrated          -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`;
    const first = ['kvm1 lists running/migrated', 'kvm2 lists nothing'];
    story(
      `${arrived}
      320 kvm1 lists running/migrated
      330 kvm1 suspended migrated
      534 kvm1 stopped migrated`,
      new Listener(first),
    );
    story(
      `${arrived}
      5000 kvm2 suspended migrated
      5200 kvm2 stopped migrated
      9000 kvm1 lists running/migrated   -> migrated kvm2>kvm1, ended kvm2>kvm1 migrated`,
      new Listener(first),
    );
  });

  test('told late, after the listing that shows how it ended, is not told again', () => {
    // Registered before listed: what happened in between comes after the listing.
    story(`
      300 kvm2 lists running/migrated -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      301 kvm2 started migrated
      302 kvm2 defined added
      303 kvm2 resumed migrated
      304 kvm1 lists nothing
      305 kvm1 iteration 1
      306 kvm1 suspended migrated
      307 kvm1 stopped migrated`);
  });

  test('a reading that was asked for before a host spoke does not contradict it', () => {
    const listener = story(begun);
    expect(listener.hear('kvm2 reads nothing', 310)).toEqual([]);
    expect(listener.hear('kvm2 resumed migrated', 400)).toEqual(['migrated kvm1>kvm2', 'ended kvm1>kvm2 migrated']);
    expect(listener.hear('kvm2 reads paused/migration migration-in', 410)).toEqual([]);
  });

  test('listed while its QEMU starts at the destination, it is not there yet', () => {
    const listener = new Listener();
    listener.hear('kvm1 lists running/booted', 0);
    listener.hear('kvm2 lists paused/starting-up', 100);
    expect(listener.hear('kvm2 started migrated', 297)).toEqual(['started kvm1>kvm2']);
    expect(listener.hear('kvm2 resumed migrated', 316)).toEqual(['migrated kvm1>kvm2', 'ended kvm1>kvm2 migrated']);
  });

  test.each(['kvm9', 'kvm1'])('a mark that asks it of kvm1 to %s ends, or asks for nothing', (to) => {
    const listener = new Listener();
    listener.hear(`kvm1 marked ${to}`, 0);
    for (let minute = 1; minute <= 11; minute += 1) {
      listener.hear('kvm1 reads running/booted', minute * 60_000);
      listener.hear('kvm2 reads nothing', minute * 60_000);
    }
    expect(listener.migration()).toBeUndefined();
  });

  test('under another name it is the same, and still there', () => {
    const listener = new Listener();
    listener.hear('kvm1 lists shutoff/shutdown', 0);
    listener.hear('kvm2 lists nothing', 0);
    listener.hear('kvm1 undefined renamed', 10);
    listener.hear('kvm1 defined renamed', 11);
    expect(listener.hear('kvm2 defined added', 20)).toEqual(['migrated kvm1>kvm2 offline', 'ended kvm1>kvm2 migrated']);
  });

  test('a reading of one VM says nothing of the others', () => {
    const listener = story(begun);
    const reading = {
      target: 'kvm2',
      query: 'domains',
      about: 'another',
      intent: 'p@v1/1/0',
      result: { kind: 'rows', rows: [] },
      tookMs: 1,
    } satisfies Reading;
    expect(listener.vms.fold({ kind: 'reading', reading, seq: 99, at: start + 60_000 })).toEqual([]);
    expect(listener.migration()).toBeDefined();
  });

  test('a reading that shows the jobs of both tells that it is on', () => {
    const listener = new Listener();
    listener.hear('kvm2 reads paused/migration migration-in', 5_000);
    listener.hear('kvm1 reads running/booted migration-out', 5_000);
    expect(listener.lines()).toEqual(['started kvm1>kvm2']);
    expect(listener.vms.get(web1.uuid)!.places).toMatchObject({ kvm1: { place: 'leaving' }, kvm2: { place: 'coming' } });
  });

  test.each(['stopped failed', 'lists nothing'])(
    'what was read as leaving is at its source again once its destination %s',
    (word) => {
      const listener = new Listener();
      listener.hear('kvm2 started migrated', 4_000);
      listener.hear('kvm1 reads running/booted migration-out', 5_000);
      listener.hear(`kvm2 ${word}`, 6_000);
      expect(listener.lines()).toContain('failed kvm1>kvm2');
      expect(listener.vms.get(web1.uuid)!.places).toMatchObject({ kvm1: { place: 'here', off: false }, kvm2: { place: 'gone' } });
    },
  );
});

describe('a request', () => {
  const asked = '0 kvm1 asked kvm2';

  test('is told of by its start, and ends with its migration', () => {
    const listener = story(`
      ${asked}
      9000 kvm2 started migrated -> started kvm1>kvm2
      9300 kvm2 resumed migrated -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`);
    expect(listener.migration()).toBeUndefined();
  });

  test('fails when it is 60 s old, both hosts are read and nothing has started; not before', () => {
    story(`
      ${asked}
      5000 kvm1 lists running/booted
      5000 kvm2 lists nothing
      61000 kvm1 reads running/booted
      62000 kvm2 reads nothing -> failed kvm1>kvm2, ended kvm1>kvm2 failed`);
  });

  test('fails also where the destination has an old definition of it', () => {
    story(`
      ${asked}
      61000 kvm2 reads shutoff/unknown
      62000 kvm1 reads running/booted -> failed kvm1>kvm2, ended kvm1>kvm2 failed`);
  });

  test('whose migration was not heard of at all is found done, or found lost', () => {
    story(`
      ${asked}
      61000 kvm1 reads nothing
      62000 kvm2 reads running/migrated -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`);
    story(`
      ${asked}
      61000 kvm1 reads nothing
      62000 kvm2 reads nothing -> failed kvm1>kvm2, ended kvm1>kvm2 failed`);
  });

  test('is no word of where a VM is: from the host that it came to it did not come', () => {
    story(`
      0 kvm3 started booted
      0 kvm2 asked kvm2
      10 kvm2 started migrated
      20 kvm2 completed migration-out`);
  });

  test('goes on while a reading shows it under way', () => {
    const listener = story(`
      ${asked}
      61000 kvm1 reads running/booted migration-out
      62000 kvm2 reads paused/migration migration-in -> started kvm1>kvm2
      90000 kvm2 resumed migrated -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated`);
    expect(listener.migration()).toBeUndefined();
  });

  test('is set by a mark on the domain', () => {
    const listener = new Listener();
    listener.hear('kvm1 marked kvm2', 0);
    expect(listener.told).toEqual([
      {
        kind: 'vm.migration-requested',
        vm: 'web1',
        uuid: web1.uuid,
        from: 'kvm1',
        to: 'kvm2',
        request: `mark-${web1.uuid}-${start}`,
        perform: false,
      },
    ]);
  });

  test.each([
    ['refused', true, ['failed kvm1>kvm2', 'ended kvm1>kvm2 failed']],
    ['cancelled', true, ['failed kvm1>kvm2', 'ended kvm1>kvm2 cancelled']],
    ['accepted', true, []],
    ['running', false, []],
  ] as const)('that is reported %s is over or is not', (state, final, told) => {
    const listener = story(asked);
    const want = { kind: 'report', request: 'r-1', state, text: 'so', final } as const;
    const intent = { id: 'p@v1/1/0', policy: 'p', version: 'v1', cause: 1, key: '', want };
    const made = listener.vms.fold({ kind: 'intent', intent, seq: 99, at: start + 1 });
    expect(made.map((each) => `${each.kind} ${'how' in each ? each.how : ''}`.trim())).toHaveLength(told.length);
    listener.told.push(...made);
    expect(listener.lines()).toEqual(told);
  });

  test('that whoever asked takes back is no longer waited for; what has begun the hosts tell of', () => {
    const ended: Meaning = {
      kind: 'vm.migration-ended',
      vm: 'web1',
      uuid: web1.uuid,
      from: 'kvm1',
      to: 'kvm2',
      how: 'cancelled',
    };
    const takeBack = (listener: Listener) =>
      listener.vms.fold({ kind: 'event', event: eventOf('kvm1', ended), seq: 99, at: start + 500 });
    const waiting = story(asked);
    expect(takeBack(waiting)).toEqual([]);
    expect(waiting.migration()).toBeUndefined();
    const begun = story('300 kvm2 started migrated -> started kvm1>kvm2');
    expect(takeBack(begun)).toEqual([]);
    story('600 kvm2 stopped failed -> failed kvm1>kvm2, ended kvm1>kvm2 failed', begun);
  });

  test('for elsewhere than where it goes has failed', () => {
    story(`
      ${asked}
      9000 kvm3 started migrated -> failed kvm1>kvm2, ended kvm1>kvm2 failed, started kvm1>kvm3`);
  });
});
