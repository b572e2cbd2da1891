// offbox explain and show on the journal of a stopped Offbox: what a pair waited for, and by what it missed; and that it is stopped.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../adapters/journal-sqlite/index.ts';
import { policy } from '../../src/core/policy.ts';
import { syslog } from '../../src/core/selectors.ts';
import { timeText } from '../../src/runtime/wall.ts';
import { Rig, start, textEvent } from '../core/rig.ts';
import { linkOffbox } from '../linked.ts';
import { runOffbox } from './offbox.ts';

const home = mkdtempSync(join(tmpdir(), 'offbox-explain-'));
const policyText = `import { bgpNetwork, map, pair, policy, syslog } from 'offbox';
export default policy({
  name: 'both',
  on: syslog(),
  pipe: (events) =>
    events.pipe(
      pair(syslog({ matches: /^down/ }), syslog({ matches: /^lost/ }), { within: '5s', key: (event) => event.text.split(' ')[1]! }),
      map(([event]) => bgpNetwork(event, '10.0.0.0/8').absent()),
    ),
});
`;
const seqs: number[] = [];

beforeAll(async () => {
  linkOffbox(home);
  mkdirSync(join(home, 'policies'));
  writeFileSync(join(home, 'policies', 'both.ts'), policyText);
  writeFileSync(join(home, 'inventory.yaml'), 'targets:\n  r1: { platform: frr, address: 192.0.2.1 }\n');
  writeFileSync(join(home, 'offbox.yaml'), 'inventory: inventory.yaml\ndata: data\n');
  mkdirSync(join(home, 'data'));
  const rig = new Rig([policy({ name: 'both', on: syslog(), pipe: (events) => events })]);
  const letters = [
    [0, 'down Gi1/0/1'],
    [1_000, 'lost GigabitEthernet1/0/1'],
    [9_100, 'lost Gi1/0/1'],
    [60_000, 'down Gi1/0/9'],
  ] as const;
  for (const [at, text] of letters) {
    rig.pass(start + at - rig.now);
    rig.event(textEvent(text));
    seqs.push(rig.entries.findLast(({ kind }) => kind === 'event')!.seq);
  }
  const journal = await openSqliteJournal({ path: join(home, 'data', 'journal.sqlite') });
  await journal.append(rig.entries, { epoch: 1, lastSeq: 0 });
  await journal.close();
});

const explained = async (seq: number, ...more: string[]) => {
  const { code, out, err } = await runOffbox(home, ['explain', String(seq), ...more]);
  expect(code, err).toBe(0);
  return out;
};

describe('offbox explain', () => {
  it('looks ahead for what had another key, and for what came too late', async () => {
    const out = await explained(seqs[0]!, 'both');
    expect(out).toContain(`… pair      1 of 2: waits for syslog /^lost/ until ${timeText(start + 5_000).slice(11, 19)}`);
    expect(out).toContain('≈ pair      key differed: GigabitEthernet1/0/1, Gi1/0/1');
    expect(out).toContain('✖ pair      1 of 2 within 5s: syslog /^lost/ did not come');
    expect(out).toContain(`≈ pair      1 of 2 within 5s; syslog /^lost/ came 4.1 s late +9.100 s, entry ${seqs[2]}`);
    expect(out).toContain('It did not fire. The nearest miss: 1 of 2 within 5s; syslog /^lost/ came 4.1 s late.');
  }, 30_000);

  it('looks behind from the one that came too late', async () => {
    expect(await explained(seqs[2]!)).toContain('The nearest miss: 1 of 2 within 5s; syslog /^lost/ came 4.1 s late.');
  }, 30_000);

  it('gives the same as JSON', async () => {
    const { policy: name, steps, conclusion } = JSON.parse(await explained(seqs[3]!, '--json'));
    expect([name, conclusion]).toEqual(['both', 'It still waits at pair.']);
    expect(steps).toMatchObject([
      { verdict: 'passed', step: 'on' },
      { verdict: 'waiting', step: 'pair', afterMs: 0 },
    ]);
  }, 30_000);
});

it('is said by offbox show to be stopped, aside of what it knew: its policies are shown as they ran', async () => {
  const said = 'Offbox does not run here: this is what it knew when it stopped';
  for (const [what, known] of [
    ['policies', /both +running/],
    ['events', /lost Gi1\/0\/1/],
  ] as const) {
    expect(await runOffbox(home, ['show', what])).toMatchObject({
      code: 0,
      out: expect.stringMatching(known),
      err: expect.stringContaining(said),
    });
  }
  const { out, err } = await runOffbox(home, ['show', 'policies', '--json']);
  expect(JSON.parse(out)).toMatchObject({ name: 'both' });
  expect(err).toContain(said);
});
