// The schemas that editors read are those that check the files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { schemaText } from '../../src/runtime/schema.ts';

const shipped = (name: string): string => readFileSync(join(import.meta.dirname, '..', '..', 'schemas', name), 'utf8');

it.each([
  ['offbox.json', 'config'],
  ['inventory.json', 'inventory'],
] as const)('schemas/%s is what the runtime checks with', (name, what) => {
  expect(shipped(name)).toBe(schemaText(what));
});
