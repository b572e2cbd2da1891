// docs/from-eem.md: its four policies do what it says of them, and its tables name only what there is.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as offbox from '../../src/index.ts';
import { queryKindSchema } from '../../src/model/query.ts';
import { pageOf } from './examples.ts';

const { text, examples, folder, unpack, run } = pageOf('docs/from-eem.md');
const stories = examples.filter(({ language }) => language === 'txt');
const rows = [...text.matchAll(/^\| (.+?) \| (.+) \|$/gm)]
  .map(([, eem, ours]) => [eem!, ours!] as const)
  .filter(([eem]) => eem !== 'EEM' && !eem.startsWith('---'));
const ours = rows.map(([, cell]) => cell).join('\n');

/** What a pipe is given besides the operators. */
const tools = ['read', 'act', 'notice'];
const words = ['filter', 'map', 'mergeMap'];

describe('docs/from-eem.md', () => {
  beforeAll(unpack);

  it.each([
    ...['event syslog pattern', 'occurs 3 period 60', 'ratelimit', 'maxrun', 'event timer watchdog', 'event timer cron'],
    ...['event timer countdown', 'event track', 'event snmp oid', 'event snmp-notification', 'event interface', 'event none'],
    ...['correlate', 'trigger', 'event cli', 'action cli command', 'action syslog', 'action mail', 'action if', 'action regexp'],
    ...['action set', 'action wait', 'event manager environment', '$_syslog_msg', 'action policy'],
  ])('has a row for %s', (word) => {
    expect(rows.map(([eem]) => eem).join('\n')).toContain(word);
  });

  it('says of each that it has a counterpart, or that it is not there', () => {
    expect(rows.length).toBeGreaterThan(40);
    for (const [eem, cell] of rows) expect(cell, eem).toMatch(/`|not there|two policies|a policy/);
  });

  it('calls only what an author has', () => {
    const called = [...ours.matchAll(/(?<![.\w$])(\w+)(?:\.(\w+))?\(/g)].map(([, name, member]) => [name!, member] as const);
    expect(called.length).toBeGreaterThan(30);
    for (const [name, member] of called) {
      if (tools.includes(name) || words.includes(name) || `${name}.${member}` === 'inventory.target') continue;
      const found = (offbox as Readonly<Record<string, unknown>>)[name];
      expect(found, name).toBeDefined();
      if (member !== undefined) expect((found as Readonly<Record<string, unknown>>)[member], `${name}.${member}`).toBeDefined();
    }
  });

  it('names every query, and only verbs that there are', () => {
    const said = /Queries: ([^|]+?)\s*\|/.exec(text)![1]!;
    expect([...said.matchAll(/`([^`]+)`/g)].map(([, query]) => query)).toEqual(queryKindSchema.options);
    const help = run('npx offbox --help').output;
    for (const [, verb] of text.matchAll(/npx offbox (\w+)/g)) expect(help).toContain(`  ${verb}`);
  });

  it('shows four policies, each with an applet and a story that goes as written', () => {
    expect(text.match(/^event manager applet /gm)).toHaveLength(5);
    const { status, output } = run('npx offbox test');
    expect(status, output).toBe(0);
    expect(output).toContain('4 of 4 stories as written');
    const ends = stories.map(({ text: story }) => story.trimEnd().split('\n').at(-1)!);
    expect(ends[0]).toContain('NETWORK  23.0.0.0/8 via gw-b');
    for (const [index, story] of stories.slice(1).entries()) {
      expect(story.text.match(/ notice /g), story.file).toHaveLength(1);
      expect(ends[index + 1]).toContain(' notice ');
    }
  });

  it('has policies that pass the check, types and all', () => {
    writeFileSync(join(folder, 'offbox.yaml'), 'inventory: policies/stories/inventory.yaml\n');
    const { status, output } = run('npx offbox check');
    expect(status, output).toBe(0);
  });
});
