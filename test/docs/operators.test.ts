// Every example of docs/operators.md is played, and each does what the page says.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { absent, allOf, dampening, pair, perKey, sequence, settle, suppress, threshold, within } from '../../src/index.ts';
import { printed, startOffbox } from '../cli/offbox.ts';
import { pageOf } from './examples.ts';

const { text, examples, folder, unpack, run } = pageOf('docs/operators.md');
const shown = { threshold, within, sequence, pair, absent, allOf, suppress, dampening };
const operators = Object.keys(shown);
const stories = examples.filter(({ language }) => language === 'txt');

describe('docs/operators.md', () => {
  beforeAll(unpack);

  it('has a section, a policy and a story for each operator that authors get', () => {
    expect([...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)).toEqual(operators);
    for (const operator of Object.keys({ settle, perKey })) expect(text).toContain(`\`${operator}(`);
    expect(stories.map(({ file }) => file.split('/').at(-1))).toEqual(
      [...operators, 'office-hours'].map((name) => `${name}.txt`),
    );
    const policies = examples.filter(({ language }) => language === 'ts');
    for (const [index, operator] of operators.entries()) expect(policies[index]!.text).toMatch(new RegExp(`\\b${operator}\\(`));
  });

  it('tells stories that go as written, each with a notice at its end', () => {
    const { status, output } = run('npx offbox test');
    expect(status, output).toBe(0);
    expect(output).toContain(`${stories.length} of ${stories.length} stories as written`);
    for (const story of stories) expect(story.text.trimEnd().split('\n').at(-1)).toContain(' notice ');
  });

  it('tells only what was changed out of office hours', () => {
    const notices = stories
      .at(-1)!
      .text.split('\n')
      .filter((line) => line.includes(' notice '));
    expect(notices.map((line) => line.trim().split(/\s+/)[0])).toEqual(['+25200.000', '+64800.000']);
  });

  it('tells a notice where it says: on the terminal, in the journal, by `show intents`', async () => {
    writeFileSync(join(folder, 'offbox.yaml'), 'inventory: policies/stories/inventory.yaml\n');
    const offbox = startOffbox(folder, 'start');
    try {
      await printed(offbox, / runs: /);
      const told = printed(offbox, / notice .*violations-once 00:11:22:33:44:55, 0 more before it/);
      const emitted = run(
        "npx offbox emit -t sw1 '%PORT_SECURITY-2-PSECURE_VIOLATION: Security violation occurred, caused by MAC address 0011.2233.4455 on port Gi1/0/1.'",
      );
      expect(emitted.status, emitted.output).toBe(0);
      await told;
      expect(run('npx offbox show intents').output).toMatch(/violations-once +told .*notice: 00:11:22:33:44:55/);
    } finally {
      offbox.kill('SIGTERM');
      await once(offbox, 'close');
    }
    expect(run('npx offbox show intents').output).toMatch(/violations-once +told .*notice: 00:11:22:33:44:55/);
  });

  it('has policies that pass the check, types and all', () => {
    writeFileSync(join(folder, 'offbox.yaml'), 'inventory: policies/stories/inventory.yaml\n');
    const { status, output } = run('npx offbox check');
    expect(status, output).toBe(0);
  });

  it('would fail if an operator counted otherwise', () => {
    const policy = join(folder, 'policies', 'port-flaps.ts');
    writeFileSync(policy, readFileSync(policy, 'utf8').replace('threshold(3', 'threshold(2'));
    const { status, output } = run('npx offbox test threshold');
    expect(status, output).toBe(1);
  });
});
