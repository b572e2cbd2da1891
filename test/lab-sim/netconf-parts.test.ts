// NETCONF's parsers without sockets: framing and XML, whole and one byte at a time, good and bad.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig, renderConfig } from '../../lab/model/config.ts';
import { renderData } from '../../lab/model/netconf/data-tree.ts';
import { createFrameReader, type Framing, frame, netconfMessageBytesMax } from '../../lab/model/netconf/framing.ts';
import { changesBetween, nativeData, placedLines } from '../../lab/model/netconf/native.ts';
import { readXml } from '../../lab/model/netconf/xml.ts';

function read(bytes: Buffer, framing: Framing, pieces: 'whole' | 'bytes'): string[] {
  const messages: string[] = [];
  const reader = createFrameReader((message) => messages.push(message));
  reader.use(framing);
  if (pieces === 'whole') reader.feed(bytes);
  else for (const byte of bytes) reader.feed(Buffer.from([byte]));
  return messages;
}

test.each(['end-of-message', 'chunked'] as const)(
  '%s messages arrive as they were sent, whole and a byte at a time',
  (framing) => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => !each.includes(']]>'));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (messages) => {
        const bytes = Buffer.from(messages.map((message) => frame(message, framing)).join(''));
        expect(read(bytes, framing, 'whole')).toEqual(messages);
        expect(read(bytes, framing, 'bytes')).toEqual(messages);
      }),
    );
  },
);

test('a message of many chunks is one message', () => {
  const bytes = Buffer.from('\n#4\n<rpc\n#1\n>\n#6\n</rpc>\n##\n');
  expect(read(bytes, 'chunked', 'whole')).toEqual(['<rpc></rpc>']);
  expect(read(bytes, 'chunked', 'bytes')).toEqual(['<rpc></rpc>']);
});

test('the framing changes behind the message in which it was changed, within one piece of bytes', () => {
  const messages: string[] = [];
  const reader = createFrameReader((message) => {
    messages.push(message);
    reader.use('chunked');
  });
  reader.feed(Buffer.from('hello]]>]]>\n#3\nrpc\n##\n'));
  expect(messages).toEqual(['hello', 'rpc']);
});

test.each(['x', '\n#0\n', '\n#01\n', '\n#x\n', '\n##\n', '\n#12345678901\n', '\n#5\n12345\n#'.concat('x'), '\n\n'])(
  'the chunk header in %j is refused, however it comes',
  (text) => {
    expect(() => read(Buffer.from(text), 'chunked', 'whole')).toThrow(RangeError);
    expect(() => read(Buffer.from(text), 'chunked', 'bytes')).toThrow(RangeError);
  },
);

test('a message is bounded in either framing', () => {
  expect(() => read(Buffer.alloc(netconfMessageBytesMax + 7, 'a'), 'end-of-message', 'whole')).toThrow(RangeError);
  expect(() => read(Buffer.from(`\n#${netconfMessageBytesMax + 1}\n`), 'chunked', 'whole')).toThrow(RangeError);
});

test('whatever comes is messages or a RangeError, and the same in pieces', () => {
  const outcome = (bytes: Buffer, framing: Framing, pieces: 'whole' | 'bytes') => {
    try {
      return read(bytes, framing, pieces);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      return 'refused';
    }
  };
  const bits = fc.constantFrom('\n', '#', '##', '1', '3', 'abc', ']]>]]>', ']]>', ']');
  fc.assert(
    fc.property(
      fc.array(bits).map((parts) => parts.join('')),
      fc.constantFrom('end-of-message', 'chunked'),
      (text, framing) => {
        const bytes = Buffer.from(text);
        expect(outcome(bytes, framing, 'bytes')).toEqual(outcome(bytes, framing, 'whole'));
      },
    ),
  );
});

test('XML keeps namespaces apart, whatever the prefixes', () => {
  const root = readXml('<?xml version="1.0"?><a:x xmlns:a="urn:a" xmlns="urn:b"><y a:k="1" b="&lt;2"/></a:x>');
  expect(root).toMatchObject({ name: 'x', ns: 'urn:a', children: [{ name: 'y', ns: 'urn:b', attributes: { b: '<2' } }] });
});

test('whatever is not XML is a SyntaxError', () => {
  const bits = fc.constantFrom(
    '<',
    '>',
    '/',
    'a',
    'b:',
    ' xmlns="u"',
    '="',
    '"',
    '&amp;',
    '&',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<a>',
    '</a>',
    'é',
  );
  fc.assert(
    fc.property(
      fc.array(bits, { maxLength: 40 }).map((parts) => parts.join('')),
      (text) => {
        try {
          readXml(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      },
    ),
    { numRuns: 500 },
  );
});

const config = `hostname gw-b
interface Vlan10
 ip address 23.10.0.3 255.255.255.0
router bgp 65003
 neighbor 10.0.3.1 remote-as 65001
 address-family ipv4
  network 23.0.0.0
  network 10.1.0.0 mask 255.255.0.0
  neighbor 10.0.3.1 activate
ip route 23.0.0.0 255.0.0.0 Null0
`;

test('a configuration survives rendering and parsing', () => {
  const parsed = parseConfig(config);
  expect(renderConfig(parseConfig(renderConfig(parsed)))).toBe(renderConfig(parsed));
});

test('data that did not change ask for no line', () => {
  const data = nativeData(parseConfig(config));
  expect(changesBetween(placedLines(data), placedLines(nativeData(parseConfig(config))))).toEqual([]);
  expect(renderData(data)).toContain('<with-mask><number>10.1.0.0</number><mask>255.255.0.0</mask></with-mask>');
});

test('lines are taken away before others are added', () => {
  const before = nativeData(parseConfig(config));
  const after = nativeData(
    parseConfig(config.replace('network 23.0.0.0\n', 'network 24.0.0.0\n').replace('hostname gw-b', 'hostname x')),
  );
  expect(changesBetween(placedLines(before), placedLines(after)).map(({ line }) => line)).toEqual([
    'no hostname gw-b',
    'no network 23.0.0.0',
    'hostname x',
    'network 24.0.0.0',
  ]);
});
