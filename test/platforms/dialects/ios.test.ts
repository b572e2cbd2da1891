// What an IOS says no with, and what it only says.
import { expect, test } from 'vitest';
import { iosDialect } from '../../../adapters/platforms/cisco-ios/cli.ts';

const refuses = (line: string) => iosDialect.failures.some((failure) => failure.test(line));

test.each([
  "% Invalid input detected at '^' marker.",
  '% Incomplete command.',
  'Policy map EDGE-DEFAULT is already attached',
  '% policy map LLQ not configured',
  'Command rejected: GigabitEthernet1/0/24 is not a switching port.',
  'Found duplicate mac-address 5254.00aa.bb02.',
  'BGP is already running; AS is 65002',
])('%j is a refusal', (line) => {
  expect(refuses(line)).toBe(true);
});

test.each([
  '% Network not in table',
  '% Subnet not in table',
  '  Policy Map LLQ',
  '  Service-policy output: LLQ',
  'No entries present.',
  'Port Security              : Disabled',
  ' description policy map LLQ is already attached',
])('%j is an answer', (line) => {
  expect(refuses(line)).toBe(false);
});
