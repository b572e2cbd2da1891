// Owns: telling: stories of the gateway lan23, a line each: what happens -> what is wanted because of it.
import { expect } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { type Policy, policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { fhrp } from '../../src/core/selectors.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { OutcomeKind } from '../../src/model/outcome.ts';
import { gap, gatewayOf, hsrpEvent, lines, Rig, replay, row, targetOf } from './rig.ts';

export const advertises: Policy = policy({
  name: 'advertises',
  on: fhrp.changed({ gateway: 'lan23' }),
  ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
});

const forms: readonly (readonly [RegExp, (rig: Rig, ...words: string[]) => void])[] = [
  [/^(\w+) says (\w+)$/, (rig, name, state) => void rig.event(hsrpEvent(name!, state as 'active'))],
  [
    /^(\w+) reads (active|standby|other)$/,
    (rig, name, role) => answer(rig, name!, { kind: 'rows', rows: [row(role as 'active')] }),
  ],
  [/^(\w+) reads nothing$/, (rig, name) => answer(rig, name!, { kind: 'rows', rows: [] })],
  [/^(\w+) reads the group twice$/, (rig, name) => answer(rig, name!, { kind: 'rows', rows: [row('active'), row('standby')] })],
  [/^(\w+) reads another group$/, (rig, name) => answer(rig, name!, { kind: 'rows', rows: [row('active', 'active', 42)] })],
  [/^(\w+) is (unreachable|unreadable)$/, (rig, name, kind) => answer(rig, name!, { kind: kind as 'unreachable', reason: 'so' })],
  [/^(\w+) ends (\w+)$/, (rig, name, kind) => void rig.outcome(newest(rig, 'ensure', name!), kind as OutcomeKind)],
  [/^(\d+) ms pass$/, (rig, ms) => void rig.pass(Number(ms))],
  [
    /^after (\d+) ms (\w+) says (\w+)$/,
    (rig, ms, name, state) => {
      rig.now += Number(ms);
      rig.event(hsrpEvent(name!, state as 'active'));
    },
  ],
  [/^gap$/, (rig) => void rig.event(gap())],
];

function newest(rig: Rig, kind: 'read' | 'ensure', name: string): Intent {
  const found = rig.intents.findLast((intent) => intent.want.kind === kind && targetOf(intent) === name);
  if (!found) throw new Error(`nothing was asked of ${name}`);
  return found;
}

function answer(rig: Rig, name: string, result: Parameters<Rig['reading']>[1]): void {
  rig.reading(newest(rig, 'read', name), result);
}

interface Telling {
  readonly subject?: Policy;
  readonly members?: readonly string[];
}

function told(text: string, { subject = advertises, members = ['r1', 'r2'] }: Telling, crashAt = -1) {
  const rig = new Rig([subject], { inventory: gatewayOf(...members) });
  const stimuli = text
    .trim()
    .split('\n')
    .map((written) => written.split('->')[0]!.trim());
  const happened = stimuli.map((stimulus, index) => {
    if (index === crashAt) rig.restart();
    const before = rig.intents.length;
    const form = forms.find(([pattern]) => pattern.test(stimulus));
    if (!form) throw new Error(`no such stimulus: ${stimulus}`);
    form[1](rig, ...form[0].exec(stimulus)!.slice(1));
    return `${stimulus} -> ${lines(rig.intents.slice(before)).join(', ')}`.trim();
  });
  return { rig, happened };
}

/** Plays the story whole, then with a crash (back from a snapshot of the cells) before each of its lines, and replays its journal. */
export function story(text: string, telling: Telling = {}): Rig {
  const expected = text
    .trim()
    .split('\n')
    .map((written) =>
      written
        .trim()
        .replace(/\s*->\s*/, ' -> ')
        .trim(),
    );
  const { rig, happened } = told(text, telling);
  expect(happened).toEqual(expected);
  for (let crashAt = 0; crashAt < expected.length; crashAt += 1)
    expect(told(text, telling, crashAt).happened, `with a crash before line ${crashAt + 1}`).toEqual(expected);
  const again = replay([telling.subject ?? advertises], rig.entries);
  expect(again.intents).toEqual(rig.intents);
  expect(again.engine.cells.snapshot()).toEqual(rig.engine.cells.snapshot());
  return rig;
}
