// The parser on what no device should send, and the laws of the header: tolerant, linear, innermost wins.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSyslog, parseSyslog } from '../../adapters/source-syslog/index.ts';
import { syslogSchema } from '../../src/model/event.ts';

const ios = '<189>46: nx2: 000048: *Nov 23 03:31:09.857 UTC: %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active';

describe('the fields', () => {
  test('are those of the sender, and the counters are told apart', () => {
    expect(parseSyslog(ios)).toEqual({
      fields: {
        pri: 189,
        facility: 23,
        severity: 5,
        mnemonic: 'HSRP-5-STATECHANGE',
        host: 'nx2',
        app: null,
        text: 'Vlan10 Grp 10 state Standby -> Active',
        sequence: 48,
      },
      deviceTime: 'Nov 23 03:31:09.857 UTC',
      counter: 46,
    });
  });

  test.each([
    ['a number behind PRI is the counter', '<189>46: *Nov 23 03:31:09.857: %A-5-B: x', 46, undefined],
    ['a padded number is the sequence', '<189>000046: *Nov 23 03:31:09.857: %A-5-B: x', undefined, 46],
    ['a number behind the host is the sequence', '<189>46: r1: 47: *Nov 23 03:31:09.857: %A-5-B: x', 46, 47],
    ['a sequence needs no stamp', '<189>46: r1: 47: %A-5-B: x', 46, 47],
    ['a number in a text is none', '<13>Oct 11 22:14:15 host app: 42: hello', undefined, undefined],
    ['eleven digits are none', '<189>12345678901: %A-5-B: x', undefined, undefined],
  ])('%s', (_, line, counter, sequence) => {
    const parsed = parseSyslog(line);
    expect([parsed.counter, parsed.fields.sequence]).toEqual([counter, sequence]);
  });

  test.each([
    ['Arista: the agent is the program', '<165>Feb  6 08:27:14 veos01 Ebra: %A-5-B: x', 'veos01', 'Ebra'],
    ['IOS: the origin is the host', '<190>7: sw01: Jul 14 2023 08:23:43: %A-5-B: x', 'sw01', null],
    ['a relay is not the host', '<190>Jul 13 08:23:43 192.0.2.1 sw01: Jul 14 2023 08:23:43: %A-5-B: x', 'sw01', null],
    ['a zone is not the host', '<190>7: Jul 14 2023 08:23:43 VIENNA: %A-5-B: x', null, null],
    ['a pid is cut off', '<30>Nov 23 03:32:14 nx3 vrrpd[60]: x', 'nx3', 'vrrpd'],
    ['no host', '<30>Nov 23 03:32:14 vrrpd[60]: x', null, 'vrrpd'],
    ['neither', '<30>x', null, null],
    ['XR: host, node and process', '<9>1: vmx01 RP/0/RSP1/CPU0:Mar 28 15:08:30.941 UTC: bgp[1051]: %A-B-5-C : x', 'vmx01', 'bgp'],
  ])('host and program: %s', (_, line, host, app) => {
    const { fields } = parseSyslog(line);
    expect([fields.host, fields.app, fields.text]).toEqual([host, app, 'x']);
  });

  test.each(['<0>x', '<7>x', '<34>x', '<191>x'])('%s has a PRI', (line) => {
    expect(parseSyslog(line).fields).toMatchObject({ pri: Number(/\d+/.exec(line)?.[0]), text: 'x' });
  });

  test.each(['<192>x', '<999>x', '<1234>x', '<>x', '<-1>x', '<1x>x', '<34', '< 4>x'])('%s has none, and is text', (line) => {
    expect(parseSyslog(line).fields).toMatchObject({ pri: null, facility: null, severity: null, text: line });
  });

  test('line ends, NULs and spaces behind a message are not of it', () => {
    expect(parseSyslog('<189>: %A-5-B: x \r\n\0').fields.text).toBe('x');
  });

  test('RFC 5424 text loses its byte order mark', () => {
    expect(parseSyslog('<34>1 - host app 1 ID - \uFEFFtext').fields).toMatchObject({ mnemonic: 'ID', text: 'text' });
  });

  test('structured data that never ends is text, and nothing is lost', () => {
    expect(parseSyslog('<34>1 - host app 1 ID [a b="c] text').fields.text).toBe('[a b="c] text');
  });

  test('a folded message is unfolded once', () => {
    const folded = 'message repeated 2 times: [ message repeated 3 times: [ x]]';
    expect(parseSyslog(`<30>Nov 23 03:32:14 h a: ${folded}`).fields.text).toBe('message repeated 3 times: [ x]');
  });
});

const samples = [
  ios,
  '<28>Jun 21 14:03:12  vmx01 rpd[2902]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 1.1.1.1 (External AS 2222) changed state',
  '<165>1 2007-02-15T09:17:15.719Z router1 mgd 3046 UI_COMMIT [junos@2636 user="a\\"b"] text',
  '<149>2647599: vmx01 RP/0/RSP1/CPU0:Mar 28 15:08:30.941 UTC: bgp[1051]: %ROUTING-BGP-5-MAXPFX : No. of',
  '2020 Jan 23 15:19:53 N7K-1 %$ VDC-1 %$ %STP-2-VPC: vPC',
  '<29>2018-7-23 01:00:34.270.1 switch %%01IFNET/4/IF_STATE(l)[4997]:Interface Ethernet0/0/8',
  'Aug 29 02:38:11 172.31.255.30 TMNX: 11 Base SYSTEM-WARNING-x-2002 [Configuration]: saved',
];

/** A real line with some of its characters changed, doubled, or cut off. */
const mangled = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.string({ maxLength: 6 })), { maxLength: 6 }),
  )
  .map(([line, edits]) =>
    edits.reduce((text, [at, cut, put]) => {
      const place = text.length === 0 ? 0 : at % text.length;
      return text.slice(0, place) + put + text.slice(place + cut);
    }, line),
  );
const alphabet = fc.constantFrom(
  ...'<>[]()%-_:"\\ *.aA0179\0\n\uFEFF\uFFFD',
  'Nov 23 03:31:09',
  '%A-5-B: ',
  '[a b="',
  '%$',
  '1 - ',
);
const noise = fc.oneof(
  mangled,
  fc.array(alphabet, { maxLength: 200 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
);

describe('whatever comes', () => {
  test('is an event, and reads the same twice', () => {
    fc.assert(
      fc.property(noise, (line) => {
        const decoded = decodeSyslog(line);
        expect(syslogSchema.safeParse(parseSyslog(line).fields).error).toBeUndefined();
        expect(decodeSyslog(line)).toEqual(decoded);
      }),
      { numRuns: 5_000 },
    );
  });

  test('no text is invented: it stands at the end of the message, or within its last bracket', () => {
    fc.assert(
      fc.property(noise, (line) => {
        const { text } = parseSyslog(line).fields;
        expect(line.includes(text)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is read at every length, one character at a time', () => {
    for (const line of samples) for (let end = 0; end <= line.length; end += 1) decodeSyslog(line.slice(0, end));
  });

  // Quadratic time would not end here within any patience: a million characters squared.
  const heads = [
    '',
    '<34>1 - - - - - ',
    '<34> 2003-10-11T22:14:15.003Z ',
    `${ios.slice(0, -40)}`,
    '<30>Nov 23 03:32:14 h bgpd: %ADJCHANGE: neighbor ',
  ];
  const units = [
    '[',
    '[a="',
    '\\',
    '%',
    '%A-1-',
    '%$ ',
    ': ',
    '1: ',
    'a: ',
    'A_',
    'message repeated 1 times: [',
    ' ',
    'Jan 11 11:11:11 ',
    '(',
    '\0',
  ];
  test.each(heads)('a million characters behind "%s" take no time', (head) => {
    for (const unit of units) {
      const line = head + unit.repeat(1_000_000 / unit.length);
      expect(decodeSyslog(line).kind).toBe('syslog');
    }
  });
});
