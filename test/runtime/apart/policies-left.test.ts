// A policy whose file is taken away or edited while Offbox is down: what it holds it lets go of all the same, on a switch of the lab.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { Lab } from '../../../lab/index.ts';
import type { Event } from '../../../src/model/event.ts';
import { testLab } from '../../lab-sim/helpers.ts';
import { linkOffbox, linkRxjs } from '../../linked.ts';
import { type Home, homeIn, homeWith, line, type Offbox, started, telling } from './rig.ts';

const holding = `import { interfaces, policy, servicePolicy } from 'offbox';
export default policy({
  name: 'holding',
  on: interfaces.down(),
  until: interfaces.up(),
  atMost: '1h',
  hold: () => servicePolicy({ target: 'acc-1', interface: 'GigabitEthernet1/0/24' }, 'output', 'LIVE-MIGRATION'),
});
`;

const link = (to: 'up' | 'down'): Event => ({
  target: 'acc-1',
  meaning: { kind: 'interface.state-changed', interface: 'GigabitEthernet1/0/1', to, layer: 'link' },
  origin: { source: 'test', peer: 'local', transport: 'local', trust: 'claimed', raw: '' },
});

interface Place extends Home {
  readonly lab: Lab;
  /** What was written on the switch, in order. */
  writes(): readonly string[];
}

async function place(): Promise<Place> {
  const lab = await testLab();
  onTestFinished(() => lab.end());
  linkOffbox(lab.dir);
  linkRxjs(lab.dir);
  mkdirSync(join(lab.dir, 'policies'), { recursive: true });
  writeFileSync(
    join(lab.dir, 'offbox.yaml'),
    `inventory: ${lab.lab.inventoryPath}\nsources:\n  syslog: { tcp: '127.0.0.1:0' }\nmodes: { default: enforce }\n`,
  );
  const home: Place = {
    ...homeIn(lab.dir),
    lab: lab.lab,
    writes: () =>
      lab.lab
        .writes('acc-1')
        .flatMap(({ line: written, transport }) => (transport === 'cli' && /service-policy/.test(written) ? [written] : [])),
  };
  home.write('holding', holding);
  home.write('other', telling('other', 'HELLO'));
  return home;
}

/** Begun, held, and stopped while it holds. */
async function held(): Promise<Place> {
  const home = await place();
  const offbox = await started(home);
  await offbox.runtime.host.emit(link('down'));
  await offbox.until('it is held', () => offbox.ofKind('outcome').some(({ outcome }) => outcome.kind === 'done'));
  expect(home.writes()).toEqual(['service-policy output LIVE-MIGRATION']);
  await offbox.stop();
  return home;
}

const both = ['service-policy output LIVE-MIGRATION', 'no service-policy output LIVE-MIGRATION'];

test('what it held is released at the next start, and the start after knows nothing of it', async () => {
  const home = await held();
  home.remove('holding');
  const next = await started(home);
  await next.until('it is released', () => next.ofKind('outcome').some(({ outcome }) => outcome.kind === 'done'));
  expect(home.writes()).toEqual(both);
  expect(next.ofKind('quarantine')).toMatchObject([{ policy: 'holding', reason: 'removed: its file is gone' }]);
  expect(next.runtime.policies.map(({ policy }) => policy.name)).toEqual(['other']);
  await next.stop();
  const last = await started(home);
  expect(last.ofKind('quarantine')).toEqual([]);
  expect(last.warnings).toEqual([]);
  await last.stop();
  expect(home.writes()).toEqual(both);
}, 60_000);

test('while the switch is away it is not forgotten, however many starts that takes', async () => {
  const home = await held();
  home.remove('holding');
  home.lab.switchFaults.unreachable('acc-1');
  for (const removals of [1, 0]) {
    const away = await started(home);
    const isOpen = () => away.runtime.engine.ledger.open().some(({ intent }) => intent.policy === 'holding');
    await away.until('it wants to let go', isOpen);
    expect(away.ofKind('quarantine')).toHaveLength(removals);
    await away.stop();
  }
  await home.lab.switchFaults.restore('acc-1');
  const next = await started(home);
  await next.until('it is released', () => next.ofKind('outcome').some(({ outcome }) => outcome.kind === 'done'));
  expect(home.writes()).toEqual(both);
}, 60_000);

test('where it cannot be run any more, the others run, and that is said, with what to do', async () => {
  const home = await place();
  home.write('holding', `import 'rxjs';\n${holding}`);
  home.write(
    'other',
    `import { policy, syslog } from 'offbox';\nexport default policy({ name: 'other', on: syslog(), ensure: () => [] });\n`,
  );
  await (await started(home)).stop();
  home.remove('holding');
  rmSync(join(home.folder, 'node_modules', 'rxjs'));
  const next = await started(home);
  expect(next.warnings.join('\n')).toMatch(
    /holding .its file is gone.: cannot be loaded: .*rxjs.*\nholding .its file is gone.: ran when.*put its file back/s,
  );
  expect(next.ofKind('quarantine')).toEqual([]);
  expect(next.runtime.view.policies()).toMatchObject([{ name: 'other', state: 'running' }]);
}, 60_000);

test('where the journal has no copy of it, that is said, with what to do', async () => {
  const home = await held();
  home.remove('holding');
  const db = new DatabaseSync(join(home.folder, '.offbox', 'journal.sqlite'));
  // Bundles are text, snapshots are not.
  db.exec("DELETE FROM blob WHERE substr(CAST(bytes AS TEXT), 1, 200) LIKE '%offbox%'");
  db.close();
  const next = await started(home);
  expect(next.warnings.join('\n')).toMatch(
    /the policy holding ran when Offbox stopped, its file is gone, and the journal has no copy.*put its file back/s,
  );
  expect(next.ofKind('quarantine')).toEqual([]);
  expect(home.writes()).toHaveLength(1);
}, 60_000);

const holdsNothing = holding.replace(/hold: .*/, 'hold: () => [],');
const noHold = `import { interfaces, policy } from 'offbox';
export default policy({ name: 'holding', on: interfaces.up(), ensure: () => [] });
`;
const versionsOf = (offbox: Offbox, name: string) => offbox.ofKind('deploy').filter(({ policy }) => policy === name);

test.each([
  ['holds nothing any more', holdsNothing, /holding holds service-policy output of acc-1 .*, which its new version does not/],
  ['has no hold any more', noHold, /holding holds service-policy output of acc-1 .*, and its new version has no hold/],
])(
  'one that was edited while Offbox was down and %s goes on as it ran until it has let go',
  async (_, edited, why) => {
    const home = await held();
    home.write('holding', edited);
    const next = await started(home);
    await next.until('the new version is refused', () => next.reloadFaults.length > 0);
    expect(next.reloadFaults).toEqual([expect.stringMatching(why)]);
    expect(versionsOf(next, 'holding')).toEqual([]);
    await next.runtime.host.emit(link('up'));
    await next.until('the new version is in force', () => versionsOf(next, 'holding').length > 0);
    expect(home.writes()).toEqual(both);
    expect(next.reloadFaults).toHaveLength(1);
    expect(next.warnings).toEqual([]);
  },
  60_000,
);

test('one that was edited and holds the same is in force at once, and lets go', async () => {
  const home = await held();
  home.write('holding', holding.replace("atMost: '1h'", "atMost: '2h'"));
  const next = await started(home);
  await next.until('the new version is in force', () => versionsOf(next, 'holding').length > 0);
  expect(next.reloadFaults).toEqual([]);
  await next.runtime.host.emit(link('up'));
  await next.until('it is released', () => next.ofKind('outcome').some(({ outcome }) => outcome.kind === 'done'));
  expect(home.writes()).toEqual(both);
}, 60_000);

test('one that was edited while nothing was held is in force from the start', async () => {
  const home = await place();
  await (await started(home)).stop();
  home.write('holding', holdsNothing);
  const next = await started(home);
  const seqOf = (kind: 'deploy' | 'event') => next.ofKind(kind).find(({ seq }) => seq > 0)?.seq ?? 0;
  await next.until('it has begun', () => seqOf('event') > 0);
  expect(seqOf('deploy')).toBeGreaterThan(0);
  expect(seqOf('deploy')).toBeLessThan(seqOf('event'));
}, 60_000);

test('one that is edited while it holds is put in force by itself when it has let go', async () => {
  const home = await place();
  const offbox = await started(home);
  await offbox.runtime.host.emit(link('down'));
  await offbox.until('it is held', () => offbox.ofKind('outcome').some(({ outcome }) => outcome.kind === 'done'));
  home.write('holding', holdsNothing);
  await offbox.until('the new version is refused', () => offbox.reloadFaults.length > 0);
  await offbox.runtime.host.emit(link('up'));
  await offbox.until('the new version is in force', () => versionsOf(offbox, 'holding').length === 2);
  expect(home.writes()).toEqual(both);
  expect(offbox.reloadFaults).toHaveLength(1);
}, 60_000);

test.each([
  ['is edited while it runs', 'live'],
  ['was edited while Offbox was down', 'down'],
])(
  'a version that %s is not asked of what the one before let pass',
  async (_, when) => {
    const home = homeWith({ tells: telling('tells', 'HELLO') });
    const offbox = await started(home);
    await offbox.say([line('OTHER', 'old')]);
    await offbox.until('it is heard', () => offbox.entries.some((entry) => JSON.stringify(entry).includes('old')));
    if (when === 'down') await offbox.stop();
    home.write('tells', telling('tells', 'OTHER'));
    const next = when === 'down' ? await started(home) : offbox;
    await next.until('the new version is in force', () => versionsOf(next, 'tells').length === (when === 'down' ? 1 : 2));
    await next.say([line('OTHER', 'new')]);
    await next.until('it decides', () => next.notices('tells').includes('new'));
    expect(next.notices('tells')).toEqual(['new']);
  },
  60_000,
);
