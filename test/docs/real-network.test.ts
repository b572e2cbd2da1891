// What docs/real-network.md shows is a configuration that passes the check, and a wrong one would not.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { pageOf } from './examples.ts';

const { text, examples, folder, unpack, run } = pageOf('docs/real-network.md');

describe('docs/real-network.md', () => {
  beforeAll(unpack);

  it('has an inventory, a configuration and a policy that pass the check', () => {
    expect(examples.map(({ file }) => file).filter(Boolean)).toEqual([
      'inventory.yaml',
      'offbox.yaml',
      'policies/lan10-active-advertises.ts',
    ]);
    const { status, output } = run('npx offbox check');
    expect(status, output).toBe(0);
  });

  it('shows modes as offbox.yaml takes them', () => {
    const modes = examples.find(({ language, file }) => language === 'yaml' && file === '')!;
    const config = join(folder, 'offbox.yaml');
    const before = readFileSync(config, 'utf8');
    writeFileSync(config, before.replace('modes: { default: observe }\n', modes.text));
    expect(run('npx offbox check').status).toBe(0);
    writeFileSync(config, before.replace('modes: { default: observe }\n', modes.text.replace('enforce', 'enforced')));
    const { status, output } = run('npx offbox check');
    expect(status).toBe(1);
    expect(output).toMatch(/offbox\.yaml:14:.*Did you mean enforce\?/);
    writeFileSync(config, before);
  });

  it('names only things that `show` shows', () => {
    const shown = run('npx offbox show --help').output;
    const named = [...text.matchAll(/offbox show (\w+)/g)].map(([, what]) => what!);
    expect(named.length).toBeGreaterThan(4);
    for (const what of named) expect(shown).toContain(what);
  });
});
