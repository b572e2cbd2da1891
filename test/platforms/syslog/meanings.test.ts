// What a message means depends on its mnemonic or program, its text, and on the sender's platform where two say the same.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { syslogMeaning } from '../../../adapters/platforms/syslog-meanings.ts';
import { meaningSchema } from '../../../src/model/meaning.ts';
import { platformNameSchema } from '../../../src/model/target.ts';

const message = (mnemonic: string | null, text: string, app: string | null = null) => ({ mnemonic, app, text });

test('an HSRP change means exactly this', () => {
  const said = message('HSRP-5-STATECHANGE', 'Vlan10 Grp 10 state Standby -> Active');
  expect(JSON.stringify(syslogMeaning(said, 'cisco-ios'))).toBe(
    '{"kind":"hsrp.state-changed","interface":"Vlan10","group":10,"from":"standby","to":"active"}',
  );
  expect(syslogMeaning(said, 'cisco-iosxe')).toEqual(syslogMeaning(said));
});

describe('nothing is claimed', () => {
  test.each([
    ['of an unknown mnemonic', message('FOO-6-BAR', 'Vlan10 Grp 10 state Standby -> Active')],
    ['of an unknown text', message('HSRP-5-STATECHANGE', 'Vlan10 did something')],
    ['of an unknown state', message('HSRP-5-STATECHANGE', 'Vlan10 Grp 10 state Standby -> Bored')],
    ['of an empty text', message('LINK-3-UPDOWN', '')],
    ['of no mnemonic and no program', message(null, 'Vlan10 Grp 10 state Standby -> Active')],
    ['of a text before which something stands', message('LINK-3-UPDOWN', 'not Interface Gi0/1, changed state to down')],
    ['of the name of a property', message('constructor', 'x')],
    ['of a mnemonic whose severity is another', message('LINK-7-UPDOWN', 'Interface Gi0/1, changed state to down')],
  ])('%s', (_, said) => {
    expect(syslogMeaning(said)).toBeNull();
  });
});

test('a mnemonic two platforms share is read by its text, and a known platform is asked first', () => {
  const eos = message('BGP-5-ADJCHANGE', 'peer 192.0.2.2 (VRF BLUE AS 12345) old state Established event Stop new state Idle');
  const ios = message('BGP-5-ADJCHANGE', 'neighbor 192.0.2.2 vpn vrf BLUE Down Peer closed the session');
  const meanings = [eos, ios].map((said) => syslogMeaning(said));
  expect(meanings).toMatchObject([
    { neighbor: '192.0.2.2', to: 'down', vrf: 'BLUE', as: 12345, reason: 'Stop' },
    { neighbor: '192.0.2.2', to: 'down', vrf: 'BLUE', reason: 'Peer closed the session' },
  ]);
  for (const platform of platformNameSchema.options) {
    expect([eos, ios].map((said) => syslogMeaning(said, platform))).toEqual(meanings);
  }
});

test.each(['PM-SW1-4-ERR_DISABLE', 'PM-SP-4-ERR_DISABLE', 'PM-SLOT1-4-ERR_DISABLE', 'PM-SW2_STBY-4-ERR_DISABLE'])(
  '%s is the same message from a stack member, a supervisor or a slot',
  (mnemonic) => {
    const text = 'bpduguard error detected on Gi1/0/3, putting Gi1/0/3 in err-disable state';
    expect(syslogMeaning(message(mnemonic, text))).toMatchObject({ interface: 'GigabitEthernet1/0/3', cause: 'bpduguard' });
  },
);

test('whatever the text, the meaning is one of ours or null', () => {
  const known = ['HSRP-5-STATECHANGE', 'HSRP_ENGINE-6-STATECHANGE', 'VRRP-ENG-5-VR_STATE_CHANGE', 'BGP-5-ADJCHANGE', 'UI_COMMIT'];
  const word = fc.constantFrom(
    ...[
      'Vlan10',
      'Grp',
      '10',
      'state',
      'Standby',
      '->',
      'Active',
      'neighbor',
      '10.0.0.1',
      'Up',
      'Down',
      '(',
      ')',
      'VR ID 5',
      'Master',
      '99999',
      '\n',
    ],
    ...['bgp-', '[1]', '(default)', "User 'x'", "requested 'commit'", 'operation', 'peer', 'Interface', 'changed state to up'],
  );
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.array(word, { maxLength: 14 }), (mnemonic, words) => {
      const meaning = syslogMeaning(message(mnemonic, words.join(' ')));
      if (meaning !== null) expect(meaningSchema.parse(meaning)).toEqual(meaning);
    }),
    { numRuns: 5_000 },
  );
});
