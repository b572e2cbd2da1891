// Every dialogue fixture: what a platform asks, and what it makes of the answers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { platforms } from '../../../adapters/platforms/index.ts';
import { TargetError } from '../../../src/model/errors.ts';
import type { PlatformName, Target } from '../../../src/model/target.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { type Case, cases, type Exchange, root, written } from './cases.ts';

const all = cases();
const access = { user: 'netop', hostKey: `SHA256:${'A'.repeat(43)}` };

function targetOf({ platform, ask }: Case): Target {
  const asked = ask.target ?? {};
  const name = platform as PlatformName;
  return {
    platform: name,
    address: '192.0.2.1',
    ...(asked.cli !== false && (asked.cli || !asked.netconf) ? { cli: access } : {}),
    ...(asked.netconf ? { netconf: access } : {}),
    ...(asked.bgp ? { bgp: asked.bgp } : {}),
  };
}

function start(one: Case): Dialogue<unknown> {
  const platform = platforms[one.platform as PlatformName];
  if (one.ask.read === 'fhrp') return platform.queries.fhrp!(targetOf(one), { about: undefined, protocol: one.ask.protocol! });
  return platform.resources['bgp-network']!.read(resourceOf(one), targetOf(one));
}

const resourceOf = ({ ask }: Case) => ({ kind: 'bgp-network', target: 'edge1', prefix: ask.prefix, vrf: ask.vrf });

/** Holds the dialogue with the recorded answers; a command that is not the recorded one fails. */
function hold<T>(dialogue: Dialogue<T>, exchanges: readonly Exchange[]): T {
  let step = dialogue.next();
  for (const { command, output } of exchanges) {
    if (step.done) throw new Error(`ended before "${command}" was asked`);
    expect(written(step.value)).toBe(command);
    step = dialogue.next({ text: output });
  }
  if (!step.done) throw new Error(`asks "${written(step.value)}" beyond the recorded commands`);
  return step.value;
}

function refusalOf(one: Case): TargetError {
  try {
    hold(start(one), one.exchanges);
  } catch (error) {
    if (error instanceof TargetError) return error;
    throw error;
  }
  throw new Error('was read');
}

test('every platform has fixtures', () => {
  // A hypervisor has no shows: adapters/actuator-libvirt answers in JSON.
  const without = Object.keys(platforms).filter((name) => name !== 'libvirt' && !existsSync(join(root, name)));
  expect(without).toEqual([]);
});

test.each(all)('$platform reads $name', (one) => {
  const { expected } = one;
  if (expected.error) {
    const error = refusalOf(one);
    expect(error.code).toBe(expected.error);
    expect(error.message).toContain(expected.says);
    expect(error.retry).toBe(false);
  } else if (expected.rows) expect(hold(start(one), one.exchanges)).toEqual(expected.rows);
  else if (expected.describe) plansFollow(one, hold(start(one), one.exchanges));
  else throw new Error(`expected.json of ${one.name} expects nothing`);
});

/** What the state means, what would be sent for each desire, and which of them is effective already. */
function plansFollow(one: Case, state: unknown): void {
  const driver = platforms[one.platform as PlatformName].resources['bgp-network']!;
  expect(driver.describe(state)).toBe(one.expected.describe);
  for (const desired of ['present', 'absent'] as const) {
    expect(driver.plan(state, resourceOf(one), desired, targetOf(one))).toEqual(one.expected[desired]);
    const verified = driver.verify(state, resourceOf(one), desired, targetOf(one));
    expect(verified.effective).toBe(one.expected.effective === desired);
    if (!verified.effective) expect(verified.missing).toMatch(/^[A-Z].*[.?]$/);
  }
}

/** Answers with anything; a reader may say rows, a state or TargetError, and nothing else. */
function survives(one: Case, answer: (index: number) => string): void {
  const dialogue = start(one);
  try {
    let step = dialogue.next();
    for (let index = 0; !step.done && index < 100; index++) step = dialogue.next({ text: answer(index) });
    expect(step.done).toBe(true);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
  }
}

test('a cut answer is read as nothing else than a shorter one or refused', () => {
  const spoken = all.filter(({ exchanges }) => exchanges.length > 0);
  fc.assert(
    fc.property(fc.constantFrom(...spoken), fc.nat(), fc.nat(), (one, which, where) => {
      const cut = which % one.exchanges.length;
      survives(one, (index) => {
        const output = one.exchanges[index]?.output ?? '';
        return index === cut ? output.slice(0, where % (output.length + 1)) : output;
      });
    }),
    { numRuns: 3_000 },
  );
});

test('garbage yields a TargetError and nothing else', () => {
  const lines = all.flatMap(({ exchanges }) => exchanges.flatMap(({ output }) => output.split('\n')));
  const garbage = fc.array(fc.oneof(fc.constantFrom(...lines), fc.string({ unit: 'binary' })), { maxLength: 30 });
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.array(garbage, { minLength: 1, maxLength: 5 }), (one, answers) =>
      survives(one, (index) => answers[index % answers.length]!.join('\n')),
    ),
    { numRuns: 3_000 },
  );
});
