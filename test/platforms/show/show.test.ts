// Every dialogue fixture: what a platform asks, and what it makes of the answers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { platforms } from '../../../adapters/platforms/index.ts';
import { TargetError } from '../../../src/model/errors.ts';
import { type QueryKind, queryRowSchemas } from '../../../src/model/query.ts';
import type { PlatformName, Target } from '../../../src/model/target.ts';
import type { Dialogue, ResourceDriver } from '../../../src/ports/platform.ts';
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
  const { queries } = platforms[one.platform as PlatformName];
  const query = queries[one.ask.read as QueryKind];
  if (query) return query(targetOf(one), { about: one.ask.about, protocol: one.ask.protocol ?? 'hsrp' });
  return driverOf(one).read(resourceOf(one), targetOf(one));
}

function driverOf({ platform, ask }: Case): ResourceDriver {
  const driver = platforms[platform as PlatformName].resources[ask.read];
  if (!driver) throw new Error(`${platform} cannot read ${ask.read}`);
  return driver;
}

const resourceOf = ({ ask }: Case) => ({
  kind: ask.read,
  target: 'edge1',
  ...(ask.resource ?? { prefix: ask.prefix, vrf: ask.vrf }),
});

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
  } else if (expected.rows) {
    expect(hold(start(one), one.exchanges)).toEqual(expected.rows);
    for (const row of expected.rows) expect(queryRowSchemas[one.ask.read as QueryKind].parse(row)).toEqual(row);
  } else if (expected.describe) plansFollow(one, hold(start(one), one.exchanges));
  else throw new Error(`expected.json of ${one.name} expects nothing`);
});

/** What the state means, what would be sent for each desire, and which of them is effective already. */
function plansFollow(one: Case, state: unknown): void {
  const driver = driverOf(one);
  expect(driver.describe(state)).toBe(one.expected.describe);
  if (one.expected.value !== undefined) expect(driver.value?.(state)).toBe(one.expected.value);
  for (const desired of ['present', 'absent'] as const) {
    const wanted = one.expected[desired]!;
    const plan = () => driver.plan(state, resourceOf(one), desired, targetOf(one));
    if ('error' in wanted)
      expect(plan).toThrow(expect.objectContaining({ code: wanted.error, message: expect.stringContaining(wanted.says) }));
    else expect(plan()).toEqual(wanted);
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

/** Answers that show in themselves that they are whole: by a last line, a count, a line that must follow. */
const closed = [
  /^show port-security /,
  /^show running-config interface /,
  /^show interfaces? \S+ switchport$/,
  /^show ip route /,
  /^show policy-map interface /,
  /^get-config /,
];
/** NX-OS closes neither of these, and IOS does not say how many paths a route has. */
const open = ({ platform }: Case, command: string) =>
  platform === 'cisco-nxos' ? /^show (?:running-config|policy-map) interface /.test(command) : /^show ip route /.test(command);

test('a closed answer cut at any byte is read as the whole one or refused, never as less', () => {
  for (const one of all.filter(({ expected }) => !expected.error)) {
    const whole = hold(start(one), one.exchanges);
    for (const [index, { command, output }] of one.exchanges.entries()) {
      if (!closed.some((form) => form.test(command)) || open(one, command)) continue;
      // A blank answer is what some say where there is nothing: that it is whole only the prompt tells.
      for (let at = output.search(/\S/) + 1; at < output.length; at++) {
        const cut = one.exchanges.map((each, which) => (which === index ? { command, output: output.slice(0, at) } : each));
        const read = readOrRefused(one, cut);
        if (read !== undefined) expect(read, `${one.platform} ${one.name}: "${command}" cut at ${at}`).toEqual(whole);
      }
    }
  }
});

/** Undefined where it is refused. A dialogue that asks on, for an answer led it elsewhere, is neither. */
function readOrRefused(one: Case, exchanges: readonly Exchange[]): unknown {
  try {
    return hold(start(one), exchanges);
  } catch (error) {
    if (error instanceof TargetError) return undefined;
    throw error;
  }
}

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

test('lines of any length are read in linear time', () => {
  const kinds = new Map(
    all.filter(({ exchanges }) => exchanges.length > 0).map((one) => [`${one.platform} ${one.ask.read}`, one]),
  );
  for (const one of kinds.values()) {
    for (const filler of [' ', '-', '(', ': ', 'a', '1', ', ', '* ']) {
      const long = filler.repeat(20_000 / filler.length);
      survives(one, (index) => {
        const output = one.exchanges[index % one.exchanges.length]!.output;
        return output.replace(/$/gm, `${long}!`);
      });
      for (const which of one.exchanges.keys()) {
        survives(one, (index) => {
          const output = one.exchanges[index % one.exchanges.length]!.output;
          return index === which ? output.replace(/\n(?=[^\n]*\n?$)/, `\n${long}!\n`) : output;
        });
      }
    }
  }
}, 15_000);
