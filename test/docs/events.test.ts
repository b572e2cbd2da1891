// docs/events.md has what the code has, and its example does what it says. What is between the two marks is written anew with
// `node bin/run.js vitest run test/docs/events.test.ts -u`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as words from '../../src/core/selectors.ts';
import { meaningFields } from '../../src/model/meaning-fields.ts';
import { kindOf, meaningSections, said } from './events-page.ts';
import { pageOf } from './examples.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'events.md');
const [from, to] = ['<!-- made from the code -->\n', '<!-- by hand again -->\n'];
const { text, unpack, run } = pageOf('docs/events.md');

describe('docs/events.md', () => {
  it('has every selector and meaning as the code has them', async () => {
    const page = readFileSync(file, 'utf8');
    const [before = '', rest = ''] = page.split(from);
    const after = rest.split(to)[1] ?? '';
    await expect(`${before}${from}\n${meaningSections()}\n\n${to}${after}`).toMatchFileSnapshot(file);
  });

  it('names each selector that authors get, and says what it is', () => {
    for (const [name, word] of Object.entries(words))
      for (const call of typeof word === 'function' ? [`${name}()`] : Object.keys(word).map((last) => `${name}.${last}()`))
        expect(text).toMatch(new RegExp(`\`${call.replace('()', '\\(\\)')}\`: \\S`));
    for (const kind of meaningFields.keys()) expect(text).toContain(kind);
  });

  it('leaves out no message that is understood', () => {
    for (const one of said) {
      expect(kindOf(one), one.on).toBeDefined();
      expect(text).toContain(`| \`${one.on}\` |`);
    }
  });

  describe('the example', () => {
    beforeAll(unpack);

    it('goes as written', () => {
      const { status, output } = run('npx offbox test');
      expect(status, output).toBe(0);
      expect(output).toContain('1 of 1 stories as written');
    });
  });
});
