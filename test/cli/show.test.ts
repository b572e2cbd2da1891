import { describe, expect, it } from 'vitest';
import { memoryText, shownRows } from '../../src/cli/show.ts';
import { table } from '../../src/cli/table.ts';

describe('offbox show policies', () => {
  it('tells how much is remembered', () => {
    const one = { place: 'p/0.settle', keys: 3, droppedKeys: 0, droppedEvents: 0 };
    expect(memoryText([])).toBe('0 keys');
    expect(memoryText([one, { ...one, keys: 4 }])).toBe('7 keys');
  });

  it('tells what there was no room for, where, and how much room there is', () => {
    const pair = { place: 'p/3.pair', keys: 100_000, droppedKeys: 2, droppedEvents: 0 };
    const within = { place: 'p/4.perKey/0.within', keys: 1, droppedKeys: 1, droppedEvents: 5 };
    expect(memoryText([pair, within])).toBe(
      '100001 keys; 3.pair dropped 2 of more than 100000 keys; 4.perKey/0.within dropped 1 of more than 100000 keys and 5 events of keys with more than 1000',
    );
  });
});

const reads = ['fhrp', 'port-security', 'switchport', 'vnis', 'policy-maps', 'routes', 'macs'];
const ensures = ['bgp-network', 'sticky-mac', 'service-policy', 'mac-table-entry', 'violation-mode'];
const reason =
  '[actuator-cli] 127.24.0.2 port 2222 cannot be reached over SSH: connect ECONNREFUSED 127.24.0.2:2222, and there is no other way';
const target = { platform: 'cisco-iosxe', address: '127.24.0.2', since: 1, waiting: 0, held: 1, reads, ensures };
const targets = [
  { ...target, target: 'gw-a', state: 'down', reason },
  { ...target, target: 'acc-1', state: 'opening' },
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: what makes a heading bold.
const plain = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/\u001b\[\d+m/g, ''));
const width = (lines: readonly string[]): number => Math.max(...plain(lines).map(({ length }) => length));

describe('offbox show targets', () => {
  it('fits a terminal, with the reason whole and early, and the lists counted', () => {
    const lines = plain(table(shownRows('targets', targets), 120));
    expect(width(lines)).toBeLessThanOrEqual(120);
    expect(lines[0]).toMatch(/^target +line +reason +since +waiting +held +address +reads +ensures$/);
    const at = lines[0]!.indexOf('reason');
    const column = lines.slice(1).map((line) => line.slice(at, lines[0]!.indexOf('since')).trim());
    expect(column.join(' ').trim()).toBe(reason);
    expect(lines[1]).toMatch(/ 7 +5$/);
  });

  it('tells all where it is asked to, or where there is no terminal', () => {
    const wide = table(shownRows('targets', targets, true), undefined);
    expect(wide[1]).toContain(reason);
    for (const one of ['cisco-iosxe', reads.join(', '), ensures.join(', ')]) expect(wide[1]).toContain(one);
  });

  it('has no column for a reason where everything is well', () => {
    expect(plain(table(shownRows('targets', targets.slice(1)), 120))[0]).not.toContain('reason');
  });
});

describe('offbox show policies on a terminal', () => {
  const remembered = [{ place: 'p/0.settle', keys: 3, droppedKeys: 0, droppedEvents: 0 }];
  const policy = {
    name: 'migration-requested-relaxes-port-security',
    version: '46d764d666a1',
    revision: '5596b30',
    mode: 'enforce',
    state: 'running',
    since: 1,
    remembered,
    describe: "Where the request allows it (allow: ['relax']), violations do not shut the VM's ports down while it migrates.",
  };

  it('fits, with what it says folded', () => {
    const lines = table(shownRows('policies', [policy, policy]), 120);
    expect(width(lines)).toBeLessThanOrEqual(120);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('\n')).not.toContain('3 keys');
  });

  it('says what it remembers where something was lost, or where it is asked to', () => {
    expect(table(shownRows('policies', [policy], true), undefined).join('\n')).toContain('3 keys');
    const lost = { ...policy, remembered: [{ ...remembered[0]!, droppedKeys: 2 }] };
    expect(table(shownRows('policies', [policy, lost]), undefined).join('\n')).toContain('dropped 2 of more than');
  });
});
