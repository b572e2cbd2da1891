// The house rules, on the checkout itself. The rules are in tidy/, and tidy/breaches.test.ts proves that each one bites.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { untidy } from './tidy/tidy.ts';

test('the checkout keeps the house rules', () => {
  expect(untidy(join(import.meta.dirname, '..')).join('\n')).toBe('');
});
