import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configFileBytesMax } from '../../src/model/limits.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import { parseYaml } from '../../src/runtime/config-yaml.ts';
import { configFolder, goodConfig, goodInventory } from './config-folder.ts';

const { pathOf, told, toldOfInventory } = configFolder();

describe('what is no YAML is told with its place', () => {
  test.each([
    ['a duplicate key', 'data: a\ndata: b\n', '2:1: the key "data" stands here a second time. Remove one of the two.'],
    ['a tab', 'sources:\n\tsyslog: {}\n', '2:1: a tab indents this line. YAML indents with spaces only: replace the tab.'],
    [
      'two documents',
      'data: a\n---\ndata: b\n',
      '2:1: a second document begins here. Keep one document a file: remove the line of dashes.',
    ],
    ['an open quote', 'data: "a\n', '2:1: a quote, bracket, comma or colon is missing. Close what was opened before this place.'],
    [
      'an open bracket',
      'data: [a\n',
      '2:1: the indentation fits nothing above it. Align the line with its neighbours, or close the bracket before it.',
    ],
    [
      'a colon too many',
      'data: a: b\n',
      '1:7: a second key begins on the same line. Begin a new line, or put the value in quotes if it holds a colon.',
    ],
    [
      'an alias of nothing',
      'data: *x\n',
      '1:7: data: an alias (a word that begins with *) whose anchor stands nowhere above. Define it above. Put the value in quotes if it is meant as a text.',
    ],
    [
      'a tag',
      'data: !x y\n',
      '1:7: a tag (a word that begins with !) has no meaning here. Put the value in quotes if it is meant as a text.',
    ],
    ['a merge of no map', '<<: 5\n', '1:1: << merges something that is no map. Write "<<: *anchor" with the anchor of a map.'],
    [
      'an alias of itself',
      'data: &a [*a]\n',
      '1:11: nested too deeply. Nothing here is deeper than 16 levels: look for brackets too many.',
    ],
    [
      'a binary value',
      'data: !!binary aGk=\n',
      '1:16: data: a tag (a word that begins with !) has no meaning here. Put the value in quotes if it is meant as a text.',
    ],
  ])('%s', async (_, config, message) => {
    expect(await told(config)).toBe(`offbox.yaml:${message}`);
  });

  test.each([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{'.repeat(20_000)],
    ['dashes', '- '.repeat(100_000)],
  ])('100,000 %s are nested too deeply', async (_, text) => {
    expect(await told(text)).toMatch(/nested too deeply/);
  });

  test('an alias bomb is cut', async () => {
    const names = [...'abcdefghij'];
    const lines = names.slice(1).map((name, i) => `${name}: &${name} [${`*${names[i]}, `.repeat(9)}*${names[i]}]`);
    const message = await told(['a: &a [x, x, x, x, x, x, x, x, x, x]', ...lines].join('\n'));
    expect(message).toMatch(/more than 100000 values, aliases counted as often as they are used\. Use fewer aliases\./);
  });

  test('anchors and merges are followed', async () => {
    const inventory = 'targets:\n  a: &base { platform: frr, address: a }\n  b: { <<: *base, address: b }\n  c: *base\n';
    expect(await toldOfInventory(inventory)).toBe('');
    const loaded = await loadConfig(pathOf('offbox.yaml'));
    expect(loaded.inventory.targets).toMatchObject({
      b: { platform: 'frr', address: 'b' },
      c: { platform: 'frr', address: 'a' },
    });
  });

  test('the first merged map wins, and the own keys before all', () => {
    const reading = parseYaml('f', 'a: &a { x: 1, y: 1 }\nb: &b { x: 2, z: 2 }\nc: { z: 3, <<: [*a, *b] }\n');
    expect(reading.kind === 'data' && reading.data.value).toMatchObject({ c: { x: 1, y: 1, z: 3 } });
  });

  test('a key named __proto__ is a key like others', async () => {
    expect(await told('__proto__: { inventory: x }\n')).toMatch(/^offbox\.yaml:1:1: __proto__: there is no such key/);
  });

  test('60,000 keys are read in one pass', () => {
    const reading = parseYaml('f', Array.from({ length: 60_000 }, (_, i) => `k${i}: 1\n`).join(''));
    expect(reading.kind).toBe('data');
  });
});

describe('a file that is none', () => {
  test('a folder, a device and a missing file are named', async () => {
    await expect(loadConfig(pathOf('.'))).rejects.toThrow(`${pathOf('.')}:1:1: a folder, not a file. Name the file in it.`);
    await expect(loadConfig('/dev/zero')).rejects.toThrow('/dev/zero:1:1: not a regular file. Name a YAML file.');
    await expect(loadConfig(pathOf('none'))).rejects.toThrow('none:1:1: there is no such file.');
  });

  test('a file too large is not read to its end', async () => {
    expect(await told('#'.repeat(configFileBytesMax + 1))).toMatch(/^offbox\.yaml:1:1: more than 1048576 bytes/);
    expect(await told(`${'#'.repeat(configFileBytesMax - goodConfig.length - 1)}\n${goodConfig}`)).toBe('');
  });

  test('a file that is not UTF-8 is named', async () => {
    await writeFile(pathOf('latin1.yaml'), Buffer.from([0x64, 0xe4, 0x3a, 0x20, 0x31]));
    await expect(loadConfig(pathOf('latin1.yaml'))).rejects.toThrow('latin1.yaml:1:1: not UTF-8 text. Save it as UTF-8.');
  });

  test('an inventory that no journal entry holds is refused', async () => {
    const targets = Array.from({ length: 6_000 }, (_, i) => `  t${i}: { platform: frr, address: 10.0.0.1 }\n`).join('');
    expect(await toldOfInventory(`targets:\n${targets}`)).toMatch(
      /the inventory is \d+ bytes as JSON, and the journal takes 262144/,
    );
  });
});

describe('a secret is never told', () => {
  const secret = 'hunter2-s3cret';
  const plain = 'inventory.yaml:2:42: targets.a.cli.password: must be a reference to a secret, and may be the secret itself.';

  test.each([
    ['written plainly', secret],
    ['in quotes', `"${secret}"`],
    ['in a list', `[${secret}]`],
    ['under a key of its own', `{ plain: ${secret} }`],
    ['as a key', `{ ${secret}: 1 }`],
    ['beside a reference', `{ env: X, was: ${secret} }`],
  ])('%s', async (_, value) => {
    const message = await toldOfInventory(
      `targets:\n  a: { platform: frr, address: a, cli: { password: ${value}, user: u, hostKey: "SHA256:${'a'.repeat(43)}" } }\n`,
    );
    expect(message).toContain(plain);
    expect(message).toContain('Write {env: NAME}, {file: PATH} or {command: "pass show x"}.');
    expect(message).not.toContain(secret);
  });

  test('whatever is wrong around it', async () => {
    const marks = fc.constantFrom(
      '"',
      "'",
      '{',
      '}',
      '[',
      ']',
      ':',
      ': ',
      '*',
      '&',
      '!',
      '|',
      '>',
      '@',
      '%',
      '`',
      '\t',
      '\n',
      '- ',
      '#',
      ',',
      '?',
      ' ',
      '\\q',
    );
    const around = fc.array(marks, { maxLength: 4 }).map((each) => each.join(''));
    await fc.assert(
      fc.asyncProperty(
        around,
        fc.oneof(around, fc.constant('\n')),
        fc.constantFrom('password', 'enable', 'key'),
        async (before, after, key) => {
          const inventory = `targets:\n  a:\n    platform: frr\n    address: a\n    cli:\n      user: u\n      ${key}: ${before}${secret}${after}\n`;
          expect(await toldOfInventory(inventory)).not.toContain(secret);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a community and the keys of a user', async () => {
    const message = await told(
      `sources: { snmp: { udp: "a:1", communities: [${secret}], users: [{ name: u, auth: { protocol: sha, key: ${secret} } }] } }\n`,
    );
    expect(message).toContain('sources.snmp.communities[0]: must be a reference');
    expect(message).toContain('sources.snmp.users[0].auth.key: must be a reference');
    expect(message).not.toContain(secret);
    expect(await told(`sources: { snmp: { udp: "a:1", communities: ${secret} } }\n`)).not.toContain(secret);
  });
});

describe('garbage', () => {
  test('any text is data or a problem with a place in it', () => {
    const yamlish = fc.array(
      fc.constantFrom(
        'a',
        '1',
        ': ',
        ':',
        '- ',
        '\n',
        '  ',
        '\t',
        '{',
        '}',
        '[',
        ']',
        '&a ',
        '*a',
        '<<: ',
        '"',
        "'",
        '|',
        '---',
        '#',
        '!t ',
        '~',
        '\u0000',
        '\uFEFF',
        '💥',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          yamlish.map((parts) => parts.join('')),
        ),
        (text) => {
          const reading = parseYaml('f', text);
          if (reading.kind === 'data') return;
          expect(reading.problem.line).toBeGreaterThan(0);
          expect(reading.problem.line).toBeLessThanOrEqual(text.split('\n').length);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('every prefix of an inventory is taken or refused with a place', async () => {
    for (let length = 0; length <= goodInventory.length; length += 1) {
      const message = await toldOfInventory(goodInventory.slice(0, length));
      if (message !== '') expect(message).toMatch(/^inventory\.yaml:\d+:\d+: /);
    }
  });

  test('any data in place of an inventory is taken or refused with a place', async () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const near = fc.record({
      targets: fc.dictionary(fc.string(), value),
      gateways: fc.dictionary(fc.constantFrom('lan', 'toString', '__proto__'), value),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, near), async (data) => {
        const message = await toldOfInventory(JSON.stringify(data));
        if (message !== '') expect(message).toMatch(/^inventory\.yaml:\d+:\d+: /);
      }),
      { numRuns: 300 },
    );
  });
});
