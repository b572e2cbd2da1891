// The laws X1 to X4 of exclusive, judged from outside: whatever is read, answered and happens in whatever order, over
// the journal alone. A checker follows the entries and knows nothing of the operator's cell.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exclusive } from '../../src/core/desire.ts';
import { policy } from '../../src/core/policy.ts';
import { bgpNetwork } from '../../src/core/resources.ts';
import { fhrp } from '../../src/core/selectors.ts';
import type { Reading } from '../../src/model/entry.ts';
import type { Intent } from '../../src/model/intent.ts';
import { type OutcomeKind, outcomeKindSchema } from '../../src/model/outcome.ts';
import { gap, gatewayOf, hsrpEvent, line, Rig, replay, row, targetOf } from './rig.ts';

const advertises = policy({
  name: 'advertises',
  on: fhrp.changed(),
  settle: { quiet: '1s', atMost: '2s' },
  resync: '5m',
  ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
});
const members = ['r1', 'r2', 'r3'];

interface Asked {
  readonly intent: Intent;
  /** What came back for it, and at which entry. */
  result?: Reading['result'];
  answeredAt?: number;
}

/** Follows one gateway's intents and what came of them; throws where a law is broken. */
class Checker {
  readonly #reads = new Map<string, Asked>();
  readonly #gives = new Map<string, { readonly intent: Intent; outcome?: OutcomeKind }>();
  /** Who has it, as the outcomes say. */
  readonly has = new Set<string>();

  reading(intent: Intent, result: Reading['result'], seq: number): void {
    const asked = this.#reads.get(targetOf(intent));
    if (asked?.intent.id === intent.id) Object.assign(asked, { result, answeredAt: seq });
  }

  outcome(intent: Intent, kind: OutcomeKind): void {
    const give = this.#gives.get(targetOf(intent));
    if (give?.intent.id === intent.id) give.outcome = kind;
    if ((kind === 'done' || kind === 'already') && intent.want.kind === 'ensure')
      this.has[intent.want.desired === 'present' ? 'add' : 'delete'](targetOf(intent));
  }

  /** What one entry made. */
  wanted(intents: readonly Intent[]): void {
    const takes = intents.filter((intent) => line(intent).startsWith('absent'));
    if (takes.length > 0) this.#judgeTakes(takes);
    for (const intent of intents) {
      if (intent.want.kind === 'read') this.#reads.set(targetOf(intent), { intent });
      if (!line(intent).startsWith('present')) continue;
      this.#judgeGive(intent);
      this.#gives.set(targetOf(intent), { intent });
    }
  }

  role(name: string): string {
    const result = this.#reads.get(name)?.result;
    if (!result) return 'unanswered';
    return result.kind === 'rows' ? (result.rows.length === 1 ? String(result.rows[0]!.role) : 'unreadable') : result.kind;
  }

  #judgeGive(give: Intent): void {
    const name = targetOf(give);
    const others = members.filter((other) => other !== name).map((other) => this.role(other));
    if (this.role(name) !== 'active') throw new Error(`X1: ${name} is given to, and reads ${this.role(name)}`);
    if (others.includes('active')) throw new Error(`X2: ${name} is given to, and another is active: ${others}`);
  }

  #judgeTakes(takes: readonly Intent[]): void {
    const active = members.find((name) => !takes.some((take) => targetOf(take) === name));
    if (active === undefined || takes.length !== members.length - 1)
      throw new Error('X3: it is not taken from all others at once');
    const give = this.#gives.get(active);
    const roles = members.map((name) => `${name} ${this.role(name)}`).join(', ');
    if (give?.outcome !== 'done' && give?.outcome !== 'already') throw new Error(`X1: taken before ${active} has it: ${roles}`);
    if (give.intent.cause < this.#reads.get(active)!.answeredAt!) throw new Error(`X1: given to ${active} on an older reading`);
    if (this.role(active) !== 'active') throw new Error(`X1: ${active} does not read active: ${roles}`);
    for (const take of takes) {
      const role = this.role(targetOf(take));
      if (role !== 'standby' && role !== 'other' && role !== 'unreachable')
        throw new Error(`X2: taken from one that is ${role}: ${roles}`);
    }
  }
}

/** The rig, with the checker looking on at every entry. */
class Watched {
  readonly rig = new Rig([advertises], { inventory: gatewayOf(...members) });
  readonly checker = new Checker();
  #seen = 0;

  read(number: number, result: Reading['result']): void {
    const intent = this.#open('read', number);
    if (!intent) return;
    this.checker.reading(intent, result, this.rig.entries.length + 1);
    this.rig.reading(intent, result);
    this.look();
  }

  end(number: number, kind: OutcomeKind): void {
    const intent = this.#open('ensure', number);
    if (!intent) return;
    this.checker.outcome(intent, kind);
    this.rig.outcome(intent, kind);
    this.look();
  }

  do(act: (rig: Rig) => void): void {
    act(this.rig);
    this.look();
  }

  look(): void {
    const fresh = this.rig.intents.slice(this.#seen);
    this.#seen = this.rig.intents.length;
    for (const cause of new Set(fresh.map((intent) => intent.cause)))
      this.checker.wanted(fresh.filter((intent) => intent.cause === cause));
    if (this.rig.faults.length > 0) throw new Error(this.rig.faults[0]!.reason);
  }

  /** A network that has come to rest and a runtime that answers. */
  answerAll(active: string): void {
    for (let turn = 0; turn < 12; turn += 1) {
      this.do((rig) => rig.pass(61_000));
      while (this.rig.engine.ledger.open().length > 0) {
        const asked = this.#open('read', 0);
        if (asked) this.read(0, { kind: 'rows', rows: [row(targetOf(asked) === active ? 'active' : 'standby')] });
        this.end(0, 'done');
      }
    }
  }

  #open(kind: 'read' | 'ensure', number: number): Intent | undefined {
    const open = this.rig.engine.ledger.open().filter(({ intent }) => intent.want.kind === kind);
    return open[number % open.length]?.intent;
  }
}

const result = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('active', 'standby', 'other')
      .map((role): Reading['result'] => ({ kind: 'rows', rows: [row(role as 'active')] })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Reading['result'][]>(
      { kind: 'rows', rows: [] },
      { kind: 'rows', rows: [row('active'), row('active')] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Reading['result'][]>({ kind: 'unreachable', reason: 'x' }, { kind: 'unreadable', reason: 'x' }),
  },
);
const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constant<OutcomeKind>('done') },
  { weight: 1, arbitrary: fc.constantFrom(...outcomeKindSchema.options) },
);

type Act = (watched: Watched) => void;
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(5), result).map(
      ([number, what]): Act =>
        (watched) =>
          watched.read(number, what),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(5), kind).map(
      ([number, what]): Act =>
        (watched) =>
          watched.end(number, what),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...members), fc.constantFrom('active', 'standby', 'speak')).map(
      ([name, to]): Act =>
        (watched) =>
          watched.do((rig) => rig.event(hsrpEvent(name, to as 'active'))),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 499, 500, 1_000, 2_000, 30_000, 300_000).map(
      (ms): Act =>
        (watched) =>
          watched.do((rig) => rig.pass(ms)),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Act>((watched) => watched.do((rig) => rig.event(gap()))) },
  { weight: 1, arbitrary: fc.constant<Act>((watched) => watched.do((rig) => rig.restart())) },
);
const anyLife = fc.array(anyAct, { maxLength: 120, size: 'max' });

describe('exclusive, whatever happens in whatever order', () => {
  test('never takes before it has given, nor where it does not know enough', () => {
    fc.assert(
      fc.property(anyLife, (acts) => {
        const watched = new Watched();
        for (const act of acts) act(watched);
      }),
      { numRuns: 400 },
    );
  });

  test('has the active member have it, and no other, once the network has come to rest', () => {
    fc.assert(
      fc.property(anyLife, fc.constantFrom(...members), (acts, active) => {
        const watched = new Watched();
        for (const act of acts) act(watched);
        watched.do((rig) => rig.event(gap()));
        watched.answerAll(active);
        expect([...watched.checker.has]).toEqual([active]);
      }),
      { numRuns: 200 },
    );
  });

  test('wants the same in a replay', () => {
    fc.assert(
      fc.property(anyLife, (acts) => {
        const watched = new Watched();
        // A restart deploys again, which a replay of the whole takes for another version.
        for (const act of acts) act(watched);
        if (watched.rig.entries.filter((entry) => entry.kind === 'deploy').length > 1) return;
        expect(replay([advertises], watched.rig.entries).intents).toEqual(watched.rig.intents);
      }),
    );
  });

  test('is judged by a checker that notices', () => {
    const watched = new Watched();
    watched.do((rig) => rig.event(gap()));
    const [read] = watched.rig.intents;
    const want = (name: string, desired: 'present' | 'absent'): Intent => ({
      ...read!,
      cause: 99,
      want: { kind: 'ensure', resource: { kind: 'bgp-network', target: name }, desired, requires: [], validForMs: 1 },
    });
    expect(() => watched.checker.wanted([want('r1', 'present')])).toThrow('X1: r1 is given to, and reads unanswered');
    for (const number of [0, 0, 0]) watched.read(number, { kind: 'rows', rows: [row('active')] });
    expect(() => watched.checker.wanted([want('r3', 'present')])).toThrow('X2: r3 is given to, and another is active');
    expect(() => watched.checker.wanted([want('r2', 'absent')])).toThrow('X3');
    expect(() => watched.checker.wanted([want('r2', 'absent'), want('r3', 'absent')])).toThrow('X1: taken before r1 has it');
  });
});
