// The placement of a VM, as the platform reads, plans and verifies it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { platforms } from '../../adapters/platforms/index.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { DomainRow, QueryKind } from '../../src/model/query.ts';
import type { Target } from '../../src/model/target.ts';
import type { Command } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';

const target: Target = { platform: 'libvirt', address: '192.0.2.1' };
const uuid = 'c7a5fdbd-0000-4000-8000-000000000001';
const uri = 'qemu+tls://kvm2/system';
const resource = { kind: 'vm-placement', target: 'kvm1', uuid, vm: 'web1', to: 'kvm2', uri } as const;
const driver = platforms.libvirt.resources['vm-placement']!;
const here: DomainRow = { uuid, vm: 'web1', state: 'running', reason: 'booted', nics: [] };

function held<T>(dialogue: Dialogue<T>, text: string): { readonly asked: readonly Command[]; readonly read: T } {
  const asked: Command[] = [];
  let step = dialogue.next();
  while (!step.done) {
    asked.push(step.value);
    step = dialogue.next({ text });
  }
  return { asked, read: step.value };
}
const stateFrom = (...rows: readonly DomainRow[]) => held(driver.read(resource, target), JSON.stringify(rows)).read;

test('only the one VM is asked for', () => {
  expect(held(driver.read(resource, target), '[]').asked).toEqual([{ kind: 'libvirt', call: 'domains', about: uuid }]);
});

test.each<[string, DomainRow[], string, boolean, RegExp | undefined]>([
  ['running there', [here], 'here', true, /still on kvm1: no migration is on/],
  ['shut off there', [{ ...here, state: 'shutoff', reason: 'shutdown' }], 'here', true, /no migration is on/],
  [
    'leaving',
    [{ ...here, job: 'migration-out', progress: { processed: 1, total: 4 } }],
    'leaving (25 %)',
    false,
    /on its way from kvm1 to kvm2/,
  ],
  ['switching over', [{ ...here, state: 'paused', reason: 'migration' }], 'leaving', false, /on its way/],
  ['fetched by post-copy', [{ ...here, state: 'paused', reason: 'postcopy' }], 'leaving', false, /on its way/],
  ['gone', [], 'gone from the source', false, undefined],
  ['gone, its definition left', [{ ...here, state: 'shutoff', reason: 'migrated' }], 'gone from the source', false, undefined],
])('a VM %s', (_what, rows, said, planned, missing) => {
  const state = stateFrom(...rows);
  expect(driver.describe(state)).toBe(said);
  expect(driver.plan(state, resource, 'present', target)).toHaveLength(planned ? 1 : 0);
  const verdict = driver.verify(state, resource, 'present', target);
  if (missing) expect(verdict).toEqual({ effective: false, missing: expect.stringMatching(missing) });
  else expect(verdict).toEqual({ effective: true });
});

test('a migration that failed is not waited for any longer', () => {
  const state = stateFrom({ ...here, failure: 'operation aborted' });
  expect(driver.verify(state, resource, 'present', target)).toEqual({
    effective: false,
    missing: 'web1 is still on kvm1: operation aborted.',
    final: true,
  });
});

test('begun by an Offbox that died, and over: it has failed, whether or not anybody heard why', () => {
  const abandoned = (...rows: readonly DomainRow[]) => driver.abandoned!(stateFrom(...rows), resource, 'present');
  expect(abandoned(here)).toMatch(/^web1 is still on kvm1: .*nobody heard why/);
  expect(abandoned({ ...here, failure: 'operation aborted' })).toBe('web1 is still on kvm1: operation aborted.');
  expect(abandoned({ ...here, job: 'migration-out' })).toBeUndefined();
  expect(abandoned()).toBeUndefined();
  // Aborting it is asked for as often as it takes.
  expect(driver.abandoned!(stateFrom(here), resource, 'absent')).toBeUndefined();
});

test('it is asked for with what the placement allows', () => {
  const options = { autoConverge: true, postCopy: true, persistent: true, bandwidthMiBs: 40 };
  expect(driver.plan(stateFrom(here), { ...resource, bandwidthMiBs: 40, postCopy: true }, 'present', target)).toEqual([
    { kind: 'migrate', uuid, uri, options },
  ]);
  expect(driver.plan(stateFrom(here), resource, 'present', target)).toEqual([
    { kind: 'migrate', uuid, uri, options: { autoConverge: true, postCopy: false, persistent: true } },
  ]);
});

test('wanted no more, a migration that is on is aborted, and nothing else done', () => {
  const leaving = stateFrom({ ...here, job: 'migration-out' });
  expect(driver.plan(leaving, resource, 'absent', target)).toEqual([{ kind: 'abort-job', uuid }]);
  expect(driver.verify(leaving, resource, 'absent', target).effective).toBe(false);
  for (const state of [stateFrom(here), stateFrom()]) {
    expect(driver.plan(state, resource, 'absent', target)).toEqual([]);
    expect(driver.verify(state, resource, 'absent', target)).toEqual({ effective: true });
  }
});

test('one that is coming from elsewhere is not leaving: its migration is not aborted, and not waited for', () => {
  const state = stateFrom({ ...here, state: 'paused', reason: 'migration', job: 'migration-in' });
  expect(driver.plan(state, resource, 'absent', target)).toEqual([]);
  expect(driver.verify(state, resource, 'absent', target)).toEqual({ effective: true });
  expect(driver.plan(state, resource, 'present', target)).toHaveLength(1);
});

test('an answer that is not ours is unreadable, whatever it is', () => {
  const ask = { about: 'web1', protocol: 'hsrp' } as const;
  const answers = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('[{}]', '[null]', '{"uuid":1}', JSON.stringify([{ ...here, state: 'flying' }])),
  );
  const kinds = Object.keys(platforms.libvirt.queries) as QueryKind[];
  expect(kinds.sort()).toEqual(['domains', 'hypervisor', 'vm-needs']);
  fc.assert(
    fc.property(answers, fc.constantFrom(...kinds), (text, kind) => {
      try {
        held<unknown>(platforms.libvirt.queries[kind]!(target, ask), text);
        // Nothing but an empty list is a listing.
        expect([kind, JSON.parse(text)]).toEqual(['domains', []]);
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        expect(error.code).toBe('unreadable');
      }
    }),
  );
});
