// XML as it is written: prefixes kept, entities undone once, whatever is not well-formed refused.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elementReader, escapeXml, type WrittenElement } from '../../adapters/xml/elements.ts';

const depthMax = 20;
const read = elementReader(depthMax);

test('names keep their prefixes, and declarations of namespaces are among the attributes', () => {
  expect(read('<?xml version="1.0"?><!-- x --><n:a xmlns:n="u&amp;v" b="&#65;"> <c/>1<![CDATA[&lt;]]></n:a>')).toEqual({
    tag: 'n:a',
    attributes: [
      ['xmlns:n', 'u&v'],
      ['b', 'A'],
    ],
    children: [{ tag: 'c', attributes: [], children: [], text: '' }],
    text: '1&lt;',
  });
});

test.each([
  ['a document type', '<!doctype a [<!ENTITY b "c">]><a>&b;</a>'],
  ['two roots', '<a/><b/>'],
  ['nothing', ''],
  ['only a comment', '<!-- a -->'],
  ['tags that do not match', '<a><b></a></b>'],
  ['more levels than it takes', '<a>'.repeat(depthMax + 2) + '</a>'.repeat(depthMax + 2)],
])('%s is refused', (_, xml) => {
  expect(() => read(xml)).toThrow(SyntaxError);
});

const name = fc.stringMatching(/^[a-z]{1,4}(:[a-z]{1,4})?$/);
const text = fc.string({ unit: fc.constantFrom('<', '&', '>', '"', "'", 'a', ';', '#', 'lt', '&amp;', '\u{1F600}') });
const elementOf = (children: fc.Arbitrary<WrittenElement[]>): fc.Arbitrary<WrittenElement> => {
  const attributes = fc.uniqueArray(fc.tuple(name, text), { maxLength: 3, selector: ([key]) => key });
  return fc.record({ tag: name, attributes, children, text });
};
const leaf = elementOf(fc.constant([]));
const branch = elementOf(fc.array(leaf, { maxLength: 3 }));
const element = elementOf(fc.array(fc.oneof(leaf, branch), { maxLength: 3 }));
const written = ({ tag, attributes, children, text: own }: WrittenElement): string => {
  const head = attributes.map(([key, value]) => ` ${key}="${escapeXml(value)}"`).join('');
  return `<${tag}${head}>${escapeXml(own)}${children.map(written).join('')}</${tag}>`;
};

test('what is written is read as it was, and refused wherever it is cut off', () => {
  fc.assert(
    fc.property(element, (whole) => {
      const xml = written(whole);
      expect(read(xml)).toEqual(whole);
      for (let end = 0; end < xml.length; end += 1) expect(() => read(xml.slice(0, end))).toThrow(SyntaxError);
    }),
    { numRuns: 60 },
  );
});

test('whatever it is given, it is read or refused', () => {
  const pieces = fc.constantFrom(
    '<a>',
    '</a>',
    '<a b="',
    '"',
    '/>',
    '<![CDATA[',
    ']]>',
    '<?x ',
    '?>',
    '<!--',
    '-->',
    '&',
    'x',
    '<__proto__>',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((some) => some.join('')),
      ),
      (xml) => {
        try {
          expect(typeof read(xml).tag).toBe('string');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SyntaxError);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
