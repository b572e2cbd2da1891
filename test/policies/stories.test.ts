// The stories of the shipped policies, played as `offbox test` plays them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadInventory } from '../../src/runtime/config.ts';
import { loadPolicy } from '../../src/runtime/policies.ts';
import { playStory, policiesBeside } from '../../src/testing/index.ts';

const root = join(import.meta.dirname, '..', '..', 'policies');

for (const policy of readdirSync(join(root, 'stories'), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  describe(`the stories of ${policy.name}`, async () => {
    const inventory = await loadInventory(join(root, 'stories', 'inventory.yaml'));
    for (const story of readdirSync(join(root, 'stories', policy.name))) {
      it(`${story.replace('.txt', '').replaceAll('-', ' ')} happens as written`, async () => {
        const where = join(root, 'stories', policy.name, story);
        const text = readFileSync(where, 'utf8');
        const names = [policy.name, ...policiesBeside(text)].sort();
        const policies = await Promise.all(names.map((name) => loadPolicy(join(root, `${name}.ts`))));
        const result = await playStory({ where, text, policies, inventory });
        expect(result.text).toBe(text);
      });
    }
  });
}
