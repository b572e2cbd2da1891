// The main job, as a newcomer sees it: the simulated network, a failover, a recovery, and what can be asked meanwhile.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkOffbox } from '../linked.ts';
import { ended, printed, runOffbox, startOffbox } from './offbox.ts';

const root = join(import.meta.dirname, '..', '..');
const shipped = join(root, 'policies', 'hsrp-active-advertises.ts');

/** Where a policy finds `offbox`. */
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'offbox-cli-'));
  linkOffbox(made);
  return made;
}

describe('offbox start --lab --once', () => {
  it('plays failover, recovery and two migrations, ends with 0, and what it did is what a backtest would do', async () => {
    const home = folder();
    const { code, out, err } = await runOffbox(home, ['start', '--lab', '--once']);
    expect(err).toBe('');
    expect(out).toContain('All was as it should be.');
    expect(out.match(/✔ 23\.0\.0\.0\/8 is reached via gw-[ab], and not via gw-[ab]/g)).toHaveLength(3);
    expect(out).toContain('✔ acc-1 has forgotten web1');
    expect(out).toContain('✔ web1 is where it was');
    expect(code).toBe(0);
    const again = await runOffbox(home, ['backtest', '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ changes: 0, unknown: 0, assumed: 0, faults: [] });
    expect(again.code).toBe(0);
    const asDeployed = await runOffbox(home, ['backtest', '--as-deployed', '--json']);
    expect(JSON.parse(asDeployed.out)).toMatchObject({ changes: 0, same: JSON.parse(again.out).same });
    const other = join(home, 'hsrp.ts');
    writeFileSync(other, readFileSync(shipped, 'utf8').replaceAll('23.0.0.0/8', '24.0.0.0/8'));
    const changed = await runOffbox(home, ['backtest', '--policy', other]);
    expect(changed.out).toMatch(/^\+ .*hsrp-active-advertises \(lan23\): gw-a: bgp-network 24\.0\.0\.0\/8 present$/m);
    expect(changed.out).toMatch(/^- .*hsrp-active-advertises \(lan23\): gw-a: bgp-network 23\.0\.0\.0\/8 present$/m);
    expect(changed.code).toBe(1);
  }, 90_000);

  it('prints every entry as JSON on request', async () => {
    const { code, out } = await runOffbox(folder(), ['start', '--lab', '--once', '--json']);
    const kinds = new Set(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { kind: string }).kind),
    );
    expect(code).toBe(0);
    for (const kind of ['inventory', 'deploy', 'event', 'intent', 'reading', 'attempt', 'outcome', 'decided'])
      expect(kinds).toContain(kind);
  }, 90_000);
});

describe('a running Offbox', () => {
  const home = folder();
  const running = startOffbox(home, 'start', '--lab');

  beforeAll(async () => {
    await printed(running, /via gw-a/);
  }, 60_000);

  afterAll(async () => {
    const end = ended(running);
    running.kill('SIGINT');
    expect((await end).code).toBe(0);
  }, 30_000);

  it('shows who is active, and that it was read', async () => {
    const { out } = await runOffbox(home, ['show', 'gateways', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      gateway: 'lan23',
      members: [{ target: 'gw-a', role: 'active', known: 'read' }, { target: 'gw-b' }],
    });
  });

  it('shows targets, sources, policies, facts, events and intents', async () => {
    for (const what of ['targets', 'sources', 'policies', 'facts', 'events', 'intents']) {
      const { code, out } = await runOffbox(home, ['show', what, '--json']);
      expect(code, what).toBe(0);
      for (const line of out.trim().split('\n')) expect(JSON.parse(line), what).toBeTypeOf('object');
      expect((await runOffbox(home, ['show', what])).out.split('\n').length, what).toBeGreaterThan(2);
    }
  }, 60_000);

  it('takes an event by hand, acknowledged, and explains what became of it', async () => {
    const { code, out } = await runOffbox(home, [
      'emit',
      '--json',
      '-t',
      'gw-a',
      '%HSRP-5-STATECHANGE: Vlan20 Grp 10 state Standby -> Active',
    ]);
    expect(code).toBe(0);
    const { seq } = JSON.parse(out) as { seq: number };
    const explained = await runOffbox(home, ['explain', String(seq)]);
    expect(explained.code).toBe(0);
    expect(explained.out).toContain('no gateway has gw-a Vlan20 group 10 (lan23 has gw-a Vlan10 group 10)');
    expect(explained.out).toContain('It did not fire: stopped at on.');
  }, 30_000);

  it('says of an event by hand that names no target how to name one', async () => {
    const text = '%IP-4-DUPADDR: Duplicate address 23.0.0.1 on Vlan10, sourced by 0000.0c07.ac0a';
    const nameless = await runOffbox(home, ['emit', text]);
    expect(nameless.code).toBe(0);
    expect(nameless.out).toContain('taken as entry');
    expect(nameless.err).toContain('taken as from `local`');
    expect(nameless.err).toContain('--target: gw-a, gw-b');
    for (const words of [
      ['-t', 'gw-a', text],
      [`<189>46: gw-a: *Nov 23 03:31:09.857: ${text}`],
      ['{"kind":"source.gap","source":"x","reason":"x"}'],
    ])
      expect((await runOffbox(home, ['emit', ...words])).err, words.join(' ')).toBe('');
  }, 30_000);

  it('refuses a second Offbox on the same data, naming the first', async () => {
    const { code, err } = await runOffbox(home, ['start', '--config', join('.offbox', 'lab', 'offbox.yaml')]);
    expect(code).toBe(1);
    expect(err).toContain(String(running.pid));
  }, 30_000);

  it('refuses a hostile body on its control socket, and goes on', async () => {
    const { ask } = await import('../../src/cli/client.ts');
    const socket = join(home, '.offbox', 'lab', 'data', 'offbox.sock');
    for (const body of [
      {},
      { event: 1 },
      { event: { meaning: { kind: 'nonsense' } } },
      { event: null, x: 'y'.repeat(2 * 1024 * 1024) },
    ]) {
      await expect(ask(socket, 'POST', '/emit', body)).rejects.toThrow();
    }
    expect(await ask(socket, 'GET', '/show/gateways')).toHaveLength(1);
  });

  it('says what the external router sees, and lets things go wrong', async () => {
    expect((await runOffbox(home, ['lab', 'external', '--json'])).out).toContain('"via":["gw-a"]');
    const told = printed(running, /▪ lab +silence gw-b/);
    const wrong = await runOffbox(home, ['lab', 'fail', 'gw-z']);
    expect(wrong.code).not.toBe(0);
    expect(wrong.err).toContain('gw-a');
    expect((await runOffbox(home, ['lab', 'silence', 'gw-b'])).code).toBe(0);
    expect(await told).not.toContain('gw-z');
  }, 30_000);
});
