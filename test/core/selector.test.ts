import { describe, expect, test } from 'vitest';
import { type Selector, SelectorIndex, selectorMiss, selectorText, takesEvent } from '../../src/core/selector.ts';
import { fhrp, hsrp, interfaces, snmp, syslog } from '../../src/core/selectors.ts';
import type { Event, SnmpFields, SyslogFields } from '../../src/model/event.ts';
import type { Meaning, MeaningKind } from '../../src/model/meaning.ts';
import { eventOf, hsrpEvent, origin, textEvent } from './rig.ts';

const down: Meaning = { kind: 'interface.state-changed', interface: 'Vlan23', layer: 'link', to: 'down' };
const message = (mnemonic: string | null, text = 'x', app: string | null = null): SyslogFields => ({
  pri: 189,
  facility: 23,
  severity: 5,
  mnemonic,
  host: null,
  app,
  text,
});
const trap: SnmpFields = { version: 'v2c', pdu: 'trap', oid: '1.3.6.1.6.3.1.1.5.3', name: 'linkDown', varbinds: [] };

const indexOf = (...selectors: readonly Selector[]): SelectorIndex => {
  const index = new SelectorIndex();
  for (const [policy, selector] of selectors.entries()) index.add(selector, policy);
  return index;
};
const policies = (found: readonly { readonly policy: number }[]): number[] => found.map(({ policy }) => policy);

describe('the index', () => {
  test('finds who listens to a meaning, by its fields and its target', () => {
    const index = indexOf(
      interfaces.stateChanged(),
      interfaces.down(),
      interfaces.up(),
      interfaces.down({ interface: 'Vlan23', target: 'r1' }),
      interfaces.down({ interface: 'Vlan42' }),
      interfaces.stateChanged({ target: 'r2' }),
      hsrp.stateChanged(),
    );
    expect(policies(index.ofMeaning(down, 'r1'))).toEqual([0, 1, 3]);
    expect(policies(index.ofMeaning(down, 'r2'))).toEqual([0, 1, 5]);
    expect(policies(index.ofMeaning({ kind: 'config.changed' }, 'r1'))).toEqual([]);
  });

  test('tells a number from its text, and a field that is absent from one that is there', () => {
    const index = indexOf(
      hsrp.stateChanged({ group: 23 }),
      { ...hsrp.stateChanged(), where: { group: '23' } },
      hsrp.stateChanged({ ifIndex: 7, group: 23 }),
      { ...hsrp.stateChanged(), where: { ifIndex: 7, group: '23' } },
    );
    expect(policies(index.ofMeaning({ kind: 'hsrp.state-changed', group: 23, to: 'active' }, 'r1'))).toEqual([0]);
    expect(policies(index.ofMeaning({ kind: 'hsrp.state-changed', group: 23, ifIndex: 7, to: 'active' }, 'r1'))).toEqual([0, 2]);
  });

  test('does not mind how an interface is written', () => {
    expect(policies(indexOf(interfaces.down({ interface: 'Vl23' })).ofMeaning(down, 'r1'))).toEqual([0]);
  });

  test('does not mind the order fields are written in', () => {
    const index = indexOf(fhrp.changed({ gateway: 'g', role: 'active' }), fhrp.changed({ role: 'active', gateway: 'g' }));
    expect(policies(index.ofMeaning({ kind: 'fhrp.changed', gateway: 'g', member: 'r1', role: 'active' }, 'r1'))).toEqual([0, 1]);
  });

  test('finds who listens to a syslog message: to any, by the whole mnemonic, by its last part, by other fields', () => {
    const index = indexOf(
      syslog(),
      syslog({ mnemonic: 'HSRP-5-STATECHANGE' }),
      syslog({ mnemonic: 'STATECHANGE' }),
      syslog({ mnemonic: 'HSRP-4-STATECHANGE' }),
      syslog({ app: 'vrrpd' }),
      syslog({ mnemonic: 'STATECHANGE', target: 'r2' }),
    );
    expect(policies(index.ofSyslog(message('HSRP-5-STATECHANGE'), 'r1'))).toEqual([0, 1, 2]);
    expect(policies(index.ofSyslog(message('STATECHANGE'), 'r2'))).toEqual([0, 2, 5]);
    expect(policies(index.ofSyslog(message(null, 'x', 'vrrpd'), 'r1'))).toEqual([0, 4]);
    expect(policies(index.ofSyslog(message(''), ''))).toEqual([0]);
  });

  test('gives what the text of a message matched, and nothing where it was not asked', () => {
    const index = indexOf(syslog({ matches: /state (?<from>\w+) -> (?<to>\w+)/ }), syslog({ matches: /no such/ }), syslog());
    const found = index.ofSyslog(message('X', 'Grp 1 state Speak -> Active'), 'r1');
    expect(found).toEqual([
      { policy: 0, groups: { from: 'Speak', to: 'Active' } },
      { policy: 2, groups: {} },
    ]);
  });

  test('matches a message by its mnemonic and text as devices write them, or by its text alone', () => {
    const duplicate = message('IP-4-DUPADDR', 'Duplicate address 10.0.0.1 on Vlan10, sourced by 0060.9fa4.d39a');
    const forms = [
      /IP-4-DUPADDR/,
      /^%IP-4-DUPADDR: Duplicate address (?<address>\S+)/,
      /^Duplicate/,
      /DUPADDR$/,
      /IP-4-DUPADDR/g,
    ];
    const index = indexOf(...forms.map((matches) => syslog({ matches })), syslog({ mnemonic: 'DUPADDR', matches: /^%IP/y }));
    for (let times = 0; times < 3; times += 1) expect(policies(index.ofSyslog(duplicate, 'r1'))).toEqual([0, 1, 2, 4, 5]);
    expect(index.ofSyslog(duplicate, 'r1')[1]!.groups).toEqual({ address: '10.0.0.1' });
    // Without a mnemonic there is nothing before the text.
    expect(policies(index.ofSyslog(message(null, 'Duplicate'), 'r1'))).toEqual([2]);
  });

  test('puts a message together only where its text did not match', () => {
    let read = 0;
    const counted = {
      ...message('A-1-B', 'x'),
      get mnemonic() {
        read += 1;
        return 'A-1-B';
      },
    };
    const index = indexOf(syslog({ matches: /x/ }));
    index.ofSyslog(counted, 'r1');
    expect(read).toBe(1);
    indexOf(syslog({ matches: /y/ }), syslog({ matches: /z/ })).ofSyslog(counted, 'r1');
    // Once for all who listen.
    expect(read).toBe(3);
  });

  test('matches a text the same however often, though the author made the pattern sticky', () => {
    const index = indexOf(syslog({ matches: /a/gy }));
    for (let times = 0; times < 3; times += 1) expect(index.ofSyslog(message(null, 'ba'), '')).toHaveLength(1);
  });

  test('tells from a mnemonic and a kind of meaning whether anybody could listen', () => {
    const hears = (selector: Selector, mnemonic: string | null, meaning: MeaningKind | null = null) =>
      indexOf(selector).hears({ mnemonic, meaning });
    expect(hears(syslog(), null)).toBe(true);
    expect([hears(syslog({ mnemonic: 'A-5-B' }), 'A-5-B'), hears(syslog({ mnemonic: 'B' }), 'A-5-B')]).toEqual([true, true]);
    expect([hears(syslog({ mnemonic: 'A-5-B' }), 'A-5-C'), hears(syslog({ mnemonic: 'B' }), null)]).toEqual([false, false]);
    expect(hears(hsrp.stateChanged({ group: 1 }), null, 'hsrp.state-changed')).toBe(true);
    expect(hears(hsrp.stateChanged(), 'HSRP-5-STATECHANGE', 'vrrp.state-changed')).toBe(false);
  });

  test('finds who listens to a trap: to any, by OID, by name', () => {
    const index = indexOf(
      snmp(),
      snmp({ oid: trap.oid }),
      snmp({ oid: 'linkDown' }),
      snmp({ oid: 'linkUp' }),
      snmp({ oid: 'linkDown', target: 'r2' }),
    );
    expect(policies(index.ofSnmp(trap, 'r1'))).toEqual([0, 1, 2]);
    const { name: _, ...nameless } = trap;
    expect(policies(index.ofSnmp(nameless, 'r2'))).toEqual([0, 1]);
  });

  test('names a policy once, with the first of its selectors that takes the event', () => {
    const index = new SelectorIndex();
    for (const matches of [/(?<nothing>zzz)/, /(?<second>x)/, /(?<third>x)/])
      index.add(syslog({ mnemonic: 'A-1-B', matches }), 0);
    index.add(syslog({ matches: /(?<any>x)/ }), 0);
    index.add(syslog(), 1);
    expect(index.ofSyslog(message('A-1-B'), 'r1')).toEqual([
      { policy: 0, groups: { second: 'x' } },
      { policy: 1, groups: {} },
    ]);
  });

  test('gives policies in the order of their numbers, however they were added', () => {
    const index = new SelectorIndex();
    for (const policy of [3, 1, 2]) index.add(policy === 2 ? fhrp.changed() : fhrp.changed({ gateway: 'g' }), policy);
    expect(policies(index.ofMeaning({ kind: 'fhrp.changed', gateway: 'g', member: 'r', role: 'active' }, 'r'))).toEqual([
      1, 2, 3,
    ]);
  });

  test('finds one among ten thousand by look-up: no more selectors are looked at than take the event', () => {
    let looked = 0;
    /** Counts whoever looks at the fields a selector asks for. */
    const counting = (selector: Selector): Selector => ({
      ...selector,
      get where() {
        looked += 1;
        return selector.where!;
      },
    });
    const index = new SelectorIndex();
    for (let number = 0; number < 10_000; number += 1) {
      index.add(counting(fhrp.changed({ role: 'active', gateway: `gw${number}` })), 5 * number);
      index.add(counting(interfaces.down({ target: `r${number}` })), 5 * number + 1);
      index.add(counting(syslog({ mnemonic: 'STATECHANGE', target: `r${number}` })), 5 * number + 2);
      index.add(counting(syslog({ mnemonic: `A-5-B${number}` })), 5 * number + 3);
      index.add(counting(snmp({ oid: 'linkDown', target: `r${number}` })), 5 * number + 4);
    }
    looked = 0;
    expect(policies(index.ofMeaning({ kind: 'fhrp.changed', gateway: 'gw777', member: 'r', role: 'active' }, 'r'))).toEqual([
      3_885,
    ]);
    expect(policies(index.ofMeaning(down, 'r777'))).toEqual([3_886]);
    expect(policies(index.ofSyslog(message('X-5-STATECHANGE'), 'r777'))).toEqual([3_887]);
    expect(policies(index.ofSyslog(message('A-5-B777'), 'r1'))).toEqual([3_888]);
    expect(policies(index.ofSnmp(trap, 'r777'))).toEqual([3_889]);
    expect(looked).toBe(0);
  });
});

describe('why a selector did not take an event', () => {
  const active = hsrpEvent('r1', 'active');
  test.each([
    [fhrp.changed(), active, 'listens to fhrp.changed; this is hsrp.state-changed'],
    [hsrp.stateChanged({ to: 'standby' }), active, 'to differs: "active", wanted "standby"'],
    [hsrp.stateChanged({ target: 'r2' }), active, 'target differs: "r1", wanted "r2"'],
    [hsrp.stateChanged({ from: 'speak' }), active, 'from differs: null, wanted "speak"'],
    [hsrp.stateChanged(), active, undefined],
    [hsrp.stateChanged(), textEvent('x'), 'listens to hsrp.state-changed; this is an event without a meaning'],
    [syslog(), active, 'listens to syslog; this came from syslog'],
    [snmp(), textEvent('x'), 'listens to snmp; this came from syslog'],
    [syslog({ mnemonic: 'STATECHANGE' }), textEvent('x'), 'listens to STATECHANGE; this is TEST-5-LETTER'],
    [syslog({ mnemonic: 'LETTER' }), textEvent('x'), undefined],
    [syslog({ matches: /y/ }), textEvent('x'), '/y/ does not match "%TEST-5-LETTER: x", with the mnemonic or without'],
    [syslog({ matches: /y/ }), { meaning: null, syslog: message(null), origin } satisfies Event, '/y/ does not match "x"'],
    [syslog({ matches: /^%TEST-5-LETTER: x/ }), textEvent('x'), undefined],
    [syslog({ app: 'bgpd' }), textEvent('x'), 'app differs: null, wanted "bgpd"'],
    [snmp({ oid: 'linkUp' }), { meaning: null, snmp: trap, origin }, 'listens to linkUp; this is 1.3.6.1.6.3.1.1.5.3'],
    [snmp({ oid: 'linkDown' }), { meaning: null, snmp: trap, origin }, undefined],
  ] as const)('is told in a sentence %#', (selector, event, sentence) => {
    expect(selectorMiss(selector, event, [])).toBe(sentence);
  });

  test('looks at what was derived too', () => {
    const derived: Meaning = { kind: 'fhrp.changed', gateway: 'lan23', member: 'r1', role: 'active' };
    expect(selectorMiss(fhrp.changed({ gateway: 'lan23' }), active, [derived])).toBeUndefined();
    expect(selectorMiss(fhrp.changed({ gateway: 'lan42' }), active, [derived])).toBe('gateway differs: "lan23", wanted "lan42"');
  });

  test('agrees with the index', () => {
    const events: Event[] = [active, textEvent('x'), eventOf('r2', down), { meaning: null, snmp: trap, origin }];
    const selectors = [
      hsrp.stateChanged(),
      hsrp.stateChanged({ group: 1 }),
      syslog(),
      syslog({ matches: /x/ }),
      snmp(),
      interfaces.down({ target: 'r2' }),
    ];
    for (const event of events) {
      for (const selector of selectors) {
        const index = indexOf(selector);
        const target = event.target ?? '';
        const found = [
          ...(event.meaning ? index.ofMeaning(event.meaning, target) : []),
          ...(event.syslog ? index.ofSyslog(event.syslog, target) : []),
          ...(event.snmp ? index.ofSnmp(event.snmp, target) : []),
        ];
        expect(found.length > 0).toBe(selectorMiss(selector, event, []) === undefined);
        const heard = index.hears({ meaning: event.meaning?.kind ?? null, mnemonic: event.syslog?.mnemonic ?? null });
        if (event.syslog || event.meaning) expect(heard || found.length === 0).toBe(true);
      }
    }
  });
});

describe('inside a pipe', () => {
  const frame = { seq: 1, at: 1, target: 'r1', trust: 'claimed' } as const;
  const link = { ...down, ...frame };
  const line = { ...message('LINK-3-UPDOWN', 'to down'), kind: 'syslog', ...frame };
  const linkDown = { ...trap, kind: 'snmp', ...frame };

  test.each([
    [interfaces.down(), link, true],
    [interfaces.down({ interface: 'Vl23', target: 'r1' }), link, true],
    [interfaces.up(), link, false],
    [interfaces.down({ target: 'r2' }), link, false],
    [hsrp.stateChanged(), link, false],
    [syslog(), link, false],
    [syslog(), line, true],
    [syslog({ mnemonic: 'UPDOWN', matches: /down$/ }), line, true],
    [syslog({ mnemonic: 'LINK-3-UPDOWN' }), line, true],
    [syslog({ mnemonic: '3-UPDOWN' }), line, false],
    [syslog({ matches: /up$/ }), line, false],
    [syslog({ matches: /LINK-3-UPDOWN: to down/ }), line, true],
    [syslog({ matches: /^%/ }), { ...message(null), kind: 'syslog', ...frame }, false],
    [syslog({ mnemonic: 'UPDOWN' }), { ...message(null), kind: 'syslog', ...frame }, false],
    [snmp(), linkDown, true],
    [snmp({ oid: 'linkDown' }), linkDown, true],
    [snmp({ oid: '1.3.6.1.6.3.1.1.5.3' }), linkDown, true],
    [snmp({ oid: 'linkUp' }), linkDown, false],
    [snmp(), line, false],
  ] as const)('a selector takes what it would have been woken by %#', (selector, event, takes) => {
    expect(takesEvent(selector, event)).toBe(takes);
  });

  test.each([
    [interfaces.down({ target: 'r1' }), 'interface.state-changed target r1 to down'],
    [syslog({ mnemonic: 'UPDOWN', matches: /x/ }), 'syslog UPDOWN /x/'],
    [snmp({ oid: 'linkDown' }), 'snmp linkDown'],
  ] as const)('a selector has words %#', (selector, text) => {
    expect(selectorText(selector)).toBe(text);
  });
});
