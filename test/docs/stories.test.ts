// docs/stories.md knows every line that a story knows, and every line of it plays.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcomeKindSchema } from '../../src/model/outcome.ts';
import { loadInventory } from '../../src/runtime/config.ts';
import { playStory } from '../../src/testing/index.ts';
import { breaks, scripts } from '../../src/testing/migration-scripts.ts';
import { verbs } from '../../src/testing/verbs.ts';
import { pageOf } from './examples.ts';

const { text: page, examples, folder, unpack, run } = pageOf('docs/stories.md');
const inventory = await loadInventory(join(import.meta.dirname, '..', '..', 'policies', 'stories', 'inventory.yaml'));

const sectionOf = (title: string): string => page.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!;
const firstColumn = (section: string): readonly string[] =>
  [...section.matchAll(/^\| (`.+?`(?:, `.+?`)*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!),
  );
const lines = firstColumn(sectionOf('What you can do'));

/** Played after what it needs: a guest, a start, and where a migration is broken off one that is on. */
function play(line: string): Promise<unknown> {
  const before = [
    'kvm1 has web1 52:54:00:aa:bb:01',
    'start',
    ...(line.includes('aborted') ? ['web1 migrates to kvm2, taking 20s'] : []),
  ];
  const text = `${[...before, 'wait 1s', line, 'wait 1m'].join('\n')}\n----\n`;
  return playStory({ where: 'stories.md', text, policies: [], inventory });
}

beforeAll(unpack);

describe('docs/stories.md', () => {
  it('has each line that a story knows, as its example, once', () => {
    expect(lines.toSorted()).toEqual(verbs.map(({ example }) => example).toSorted());
  });

  it.each(verbs)('has an example that is read as what it is: $example', ({ example }) => {
    expect(verbs.find(({ form }) => form.test(example))!.example).toBe(example);
  });

  // Whatever else it shows of a line, behind the example.
  const variants = [...sectionOf('What you can do').matchAll(/`((?:acc-1|kvm2's|a client|show|gw-b says) [^`…]+)`/g)].map(
    ([, line]) => line!,
  );
  it.each([...new Set([...lines, ...variants])])('plays: %s', async (line) => {
    await expect(play(line)).resolves.toBeDefined();
  });

  it('says every way that a migration may go', async () => {
    const ways = [...Object.keys(scripts), ...Object.keys(breaks).map((how) => `${how} after 3s`), 'taking 20s'];
    for (const way of ways) {
      expect(page).toContain(`\`${way}\``);
      await play(`web1 migrates to kvm2, ${way}`);
    }
    for (const way of ['performed by Offbox', 'allowing relax', 'allowing post-copy', 'as r-7']) {
      expect(page).toContain(`\`${way}\``);
      await play(`somebody asks for web1 from kvm1 to kvm2, ${way}`);
    }
    await play('kvm1 has db1 52:54:00:aa:bb:02 and 52:54:00:aa:bb:03, shut off');
  });

  it('says every word that stands below the line', () => {
    const narrated = [
      'event',
      'means',
      'heard',
      'gap',
      'asks',
      'read',
      'wants',
      'apply',
      'notice',
      'report',
      'stopped',
      'NETWORK',
    ];
    expect(firstColumn(sectionOf('What happened')).toSorted()).toEqual([...narrated, ...outcomeKindSchema.options].toSorted());
  });

  it('says when a story begins', () => {
    expect(page).toContain('1767225600000');
    expect(Date.UTC(2026, 0, 1)).toBe(1_767_225_600_000);
    expect(new Date(1_767_225_600_000).getUTCDay()).toBe(4);
  });

  it('tells a story that goes as written, and its commands run', () => {
    for (const { text } of examples.filter(({ language }) => language === 'sh')) {
      const { status, output } = run(text);
      expect(status, output).toBe(0);
      expect(output).toContain('1 of 1 stories as written');
      expect(output).not.toContain('rewritten');
    }
  });
});

describe('a line that no story knows', () => {
  const failover = examples.find(({ language }) => language === 'txt')!;

  it('is told in few words: where, the three nearest, and where the rest is', () => {
    const file = join(folder, failover.file);
    writeFileSync(file, failover.text.replace('gw-a is unreachable', 'gw-a is not reachable'));
    const { status, output } = run('npx offbox test');
    writeFileSync(file, failover.text);
    expect(status).toBe(1);
    expect(output.split('\n').slice(0, 5)).toEqual([
      expect.stringMatching(/failover\.txt:21: "gw-a is not reachable" is nothing a story knows\. The nearest are:$/),
      '  gw-a is reachable',
      '  gw-a is unreachable',
      '  gw-a is readable',
      'Every line there is: docs/stories.md, in the folder of Offbox.',
    ]);
  });

  it.each([
    ['gw-a is actve on Vlan10 grp 10', 'gw-a is active on Vlan10 group 10'],
    ['web1 moves to kvm2', 'web1 migrates to kvm2, taking 20s'],
    [
      'edge-1 said %LINK-3-UPDOWN: Interface Gi1/0/1, changed state to down',
      'gw-a says %SYS-5-CONFIG_I: Configured from console by admin',
    ],
  ])('%s is near to %s', async (line, form) => {
    await expect(play(line)).rejects.toThrow(`The nearest are:\n  ${form}\n`);
  });

  it('tells of a state that is none which there are', async () => {
    await expect(play('gw-a is down')).rejects.toThrow('"down" is no state: HSRP has disabled, init, learn,');
  });
});
