// What NETCONF messages say, whatever prefixes they wear.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { innerXml, readMessage, rpcFault } from '../../adapters/actuator-netconf/reply.ts';
import { all, escapeXml, parseXml, textOf } from '../../adapters/platforms/cisco-iosxe/xml.ts';
import { TargetError } from '../../src/model/errors.ts';

const ns = 'urn:ietf:params:xml:ns:netconf:base:1.0';

test('a hello gives session and capabilities', () => {
  const hello = `<?xml version="1.0" encoding="UTF-8"?>\n<nc:hello xmlns:nc="${ns}"><nc:capabilities>
    <nc:capability>urn:ietf:params:netconf:base:1.1</nc:capability>
    <nc:capability>http://example.com/m?module=m&amp;revision=2024-01-01</nc:capability>
  </nc:capabilities><nc:session-id>7</nc:session-id></nc:hello>`;
  expect(readMessage(hello)).toEqual({
    kind: 'hello',
    hello: {
      sessionId: '7',
      capabilities: new Set(['urn:ietf:params:netconf:base:1.1', 'http://example.com/m?module=m&revision=2024-01-01']),
    },
  });
});

test.each([
  ['<ok/>', `<rpc-reply message-id="1" xmlns="${ns}"><ok/></rpc-reply>`, '<ok/>'],
  [
    'the inside of <data>',
    `<nc:rpc-reply message-id="1" xmlns:nc="${ns}"><nc:data>\n <a x="1>2">t</a>\n</nc:data></nc:rpc-reply>`,
    '<a x="1>2">t</a>',
  ],
  ['an empty <data/>', `<rpc-reply message-id="1"><data/></rpc-reply>`, ''],
  [
    'what an operation answers of its own',
    `<rpc-reply message-id="1"><data>x</data><more/></rpc-reply>`,
    '<data>x</data><more/>',
  ],
  ['nothing at all', `<rpc-reply message-id="1"/>`, ''],
  ['with a comment in front', `<?xml version="1.0"?><!-- <x> --><rpc-reply message-id="1"><ok/></rpc-reply>`, '<ok/>'],
])('a reply gives %s', (_name, xml, inner) => {
  expect(readMessage(xml)).toMatchObject({ kind: 'reply', messageId: '1', errors: [], inner });
});

const failed = `<nc:rpc-reply xmlns:nc="${ns}" nc:message-id="3"><nc:rpc-error>
  <nc:error-type>protocol</nc:error-type><nc:error-tag>lock-denied</nc:error-tag><nc:error-severity>error</nc:error-severity>
  <nc:error-app-tag>no-access</nc:error-app-tag><nc:error-path>/nc:rpc/nc:lock</nc:error-path>
  <nc:error-message xml:lang="en">lock  already
   held</nc:error-message><nc:error-info><nc:session-id>12</nc:session-id></nc:error-info>
</nc:rpc-error><nc:rpc-error><nc:error-severity>error</nc:error-severity></nc:rpc-error></nc:rpc-reply>`;

test('an rpc-error tells type, tag, app-tag, path, message, holder and how many more', () => {
  const message = readMessage(failed);
  if (message.kind !== 'reply') throw new Error('no reply');
  expect(message.messageId).toBe('3');
  const fault = rpcFault('[actuator-netconf] edge1', 'the lock of candidate', message.errors);
  expect(fault).toMatchObject({ code: 'lock-denied', retry: false });
  expect(fault.message).toContain(
    '[actuator-netconf] edge1 refused the lock of candidate: lock already held (protocol lock-denied, no-access) at /nc:rpc/nc:lock held by session 12 and 1 more.',
  );
});

test('warnings before the data are not part of it', () => {
  const warning = '<rpc-error><error-severity>warning</error-severity><error-message>old model</error-message></rpc-error>';
  const answer = readMessage(`<rpc-reply message-id="3">${warning}\n${warning}<data><native/></data></rpc-reply>`);
  expect(answer).toMatchObject({ kind: 'reply', errors: [], inner: '<native/>' });
});

test('a lock held from outside NETCONF is told as that', () => {
  const error = { type: 'protocol', tag: 'lock-denied', appTag: undefined, path: undefined, message: undefined, sessionId: '0' };
  expect(rpcFault('x', 'y', [error]).message).toContain('held by a user outside NETCONF');
});

test('a warning is no error', () => {
  const xml = '<rpc-reply message-id="1"><rpc-error><error-severity>warning</error-severity></rpc-error><ok/></rpc-reply>';
  expect(readMessage(xml)).toMatchObject({ errors: [] });
});

test('a notification is neither', () => {
  expect(readMessage('<notification><eventTime/></notification>')).toEqual({ kind: 'other', name: 'notification' });
});

test.each([
  ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><rpc-reply>&b;</rpc-reply>'],
  ['an entity bomb', `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><hello>&b;</hello>`],
  ['tags that do not match', '<rpc-reply><data></rpc-reply></data>'],
  ['a document cut short', '<rpc-reply message-id="1"><data><a>'],
  ['two documents', '</inner><inner>'],
  ['a thousand levels', `${'<a>'.repeat(1_000)}${'</a>'.repeat(1_000)}`],
  ['a reserved name', '<__proto__/>'],
])('%s is refused as bad XML', (_name, xml) => {
  const read = () => readMessage(xml);
  expect(read).toThrow(TargetError);
  expect(read).toThrow(/\[netconf\]/);
});

test('an entity nobody defined stays as it is written', () => {
  expect(parseXml('<a>&b; &lt;&#65;&#x42;&amp;lt;</a>')[0]!.text).toBe('&b; <AB&lt;');
});

test('what is escaped is read back, in text and in CDATA', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
      expect(parseXml(`<a>${escapeXml(text)}</a>`)[0]!.text).toBe(text.trim());
      fc.pre(!text.includes(']]>') && !text.includes('<!DOCTYPE'));
      expect(parseXml(`<a><![CDATA[${text}]]></a>`)[0]!.text).toBe(text.trim());
    }),
  );
});

test('elements are reached by local names', () => {
  const tree = parseXml('<p:a xmlns:p="u"><p:b><c>1</c></p:b><b><p:c>2</p:c></b></p:a>');
  expect(all(tree, 'a', 'b', 'c').map(({ text }) => text)).toEqual(['1', '2']);
  expect(textOf(tree, 'a', 'b', 'c')).toBe('1');
  expect(textOf(tree, 'a', 'x')).toBeUndefined();
});

test('no text makes it do anything but read or refuse', () => {
  const pieces = fc.constantFrom(
    '<rpc-reply',
    '>',
    '</rpc-reply>',
    '<data>',
    '</data>',
    '<',
    '/>',
    ' a="b"',
    '&amp;',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<?x',
    '?>',
    '<rpc-error>',
    "'",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 20 }), (parts) => {
      try {
        readMessage(parts.join(''));
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
      }
    }),
    { numRuns: 3_000 },
  );
});

test('megabytes of hostile XML are read or refused in a few words, in linear time', () => {
  const size = 2 * 1024 * 1024;
  for (const piece of ['<', '<a ', '&', '<!--', '<![CDATA[', '<?a', ' ', '"', 'a="1" ', '<a>1</a>']) {
    const xml = `<rpc-reply message-id="1">${piece.repeat(size / piece.length)}</rpc-reply>`;
    try {
      innerXml(xml);
      readMessage(xml);
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      expect(error.message.length).toBeLessThan(400);
    }
  }
}, 120_000);
