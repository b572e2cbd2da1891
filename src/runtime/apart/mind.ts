// Owns: the thread's end: a whole engine that steps what it is handed, and tells what policies want. It ends where the journal ends, by
// the same replay as a start: begun anew after a policy did not come back, it is what it was, without that policy.
//
// M1. Orders are followed one after another; each append is answered once, with all that its entries made policies want.
// M2. What lies between two entries that it is handed concerns no policy and no fact: only its time can, and then it is handed that.
import { createHash } from 'node:crypto';
import { Engine, type PolicyFault } from '../../core/engine.ts';
import type { DeployedPolicy, Policy } from '../../core/policy.ts';
import type { CallWatch } from '../../core/slot.ts';
import type { Entry, EntryBody, NewEntry } from '../../model/entry.ts';
import { messageOf } from '../../model/errors.ts';
import type { Intent } from '../../model/intent.ts';
import { snapshotSliceMs } from '../../model/limits.ts';
import { entryOf } from '../../model/written-event.ts';
import type { Wall } from '../../ports/wall.ts';
import { lateEntries } from '../late.ts';
import { recover } from '../recovery.ts';
import { cellTexts } from '../reload.ts';
import { packed, type SnapshotJournal } from '../snapshots.ts';
import { turn } from '../wall.ts';
import { writtenSnapshot } from '../written.ts';
import { taken } from './evaluate.ts';
import type { BundledPolicy, Decision, Order, Report, Standing, Told } from './messages.ts';
import { faceOf } from './stand-in.ts';

export interface MindOptions {
  readonly wall: Wall;
  /** Opened when it is first read: it is made while policies are loaded. */
  readonly openJournal: () => Promise<SnapshotJournal>;
  /** Evaluates a policy; rejects in words. `place`: which of those it is given. */
  readonly evaluate: (bundled: BundledPolicy, place: number) => Promise<Policy>;
  /** Knows that a policy is called. Made once it is known how many there are. */
  readonly watch: (policies: number) => CallWatch;
  readonly report: (report: Report, handOver?: readonly ArrayBuffer[]) => void;
}

type OrderOf<K extends Order['kind']> = Extract<Order, { kind: K }>;

const noWatch: CallWatch = { enter: () => undefined, leave: () => undefined };

export class Mind {
  readonly #options: MindOptions;
  #following: Promise<void> = Promise.resolve();
  #deployed: readonly DeployedPolicy[] = [];
  #watch: CallWatch = noWatch;
  #engine = new Engine([]);
  #journal: SnapshotJournal | undefined;
  /** Handed to it, whole or as nothing that concerns it. */
  #through = 0;
  /** The last entry that the engine has stepped. */
  #stepped = 0;
  #nextDue: number | undefined;
  /** Wanted, and not yet met as recorded. */
  readonly #wanted = new Map<string, Intent>();
  #faulty: readonly PolicyFault[] = [];

  constructor(options: MindOptions) {
    this.#options = options;
  }

  follow(order: Order): void {
    this.#following = this.#following
      .then(() => this.#follow(order))
      .catch((thrown: unknown) => this.#options.report({ kind: 'failed', reason: messageOf(thrown) }));
  }

  async #follow(order: Order): Promise<void> {
    if (order.kind === 'step') this.#answer(this.#stepAll(order));
    else if (order.kind === 'read-on') await this.#readOn(order.through);
    else if (order.kind === 'take-over') await this.#takeOver(order.through);
    else if (order.kind === 'load') await this.#load(order.policies);
    else if (order.kind === 'recover') await this.#recover(order);
    else if (order.kind === 'snapshot') this.#snapshot(order);
    else this.#options.report({ kind: 'told', id: order.id, told: this.#tell(order.what) });
  }

  async #load(bundles: readonly BundledPolicy[]): Promise<void> {
    const deployed: DeployedPolicy[] = [];
    const files: string[] = [];
    const faults: string[] = [];
    for (const [place, bundled] of bundles.entries()) {
      const { file, version } = bundled;
      try {
        const policy = await this.#options.evaluate(bundled, place);
        const twin = deployed.findIndex((other) => other.policy.name === policy.name);
        if (twin >= 0) faults.push(taken(policy.name, file, files[twin]!));
        deployed.push({ policy, version });
        files.push(file);
      } catch (thrown) {
        faults.push(messageOf(thrown));
      }
    }
    this.#deployed = deployed;
    this.#watch = this.#options.watch(deployed.length);
    if (faults.length > 0) this.#options.report({ kind: 'refused', faults });
    else this.#options.report({ kind: 'loaded', faces: deployed.map(({ policy }) => faceOf(policy)) });
  }

  async #recover({ through, ended, now }: OrderOf<'recover'>): Promise<void> {
    this.#journal = await this.#options.openJournal();
    const engine = new Engine(this.#deployed, { watch: this.#watch });
    this.#engine = engine;
    const journal = upTo(this.#journal, through);
    const recovered = await recover({ engine, policies: this.#deployed, journal, ended });
    const { entries, restored, intents, faults, divergences, nextDue, said } = recovered;
    this.#through = through;
    this.#stepped = recovered.lastSeq;
    this.#nextDue = nextDue;
    this.#remember(intents, faults);
    const policies = this.#deployed.map(({ policy }) => policy);
    const late = lateEntries(engine, policies, Math.max(now, recovered.lastAt));
    const decision = { ...this.#standing(), intents: this.#texts(intents), faults };
    this.#options.report({
      kind: 'recovered',
      recovered: { ...decision, entries, restored, divergences, said, late, held: this.#held() },
    });
  }

  async #readOn(through: number): Promise<void> {
    for await (const batch of upTo(this.#journal!, through).read(this.#through + 1)) this.#answer(this.#steps(batch));
    this.#through = Math.max(this.#through, through);
    this.#answer({ intents: [], faults: [] });
  }

  /** What was decided stands as it was recorded; what was not, whatever version is in force now decides. */
  async #takeOver(through: number): Promise<void> {
    for await (const batch of upTo(this.#journal!, through).read(this.#through + 1)) this.#steps(batch);
    this.#through = Math.max(this.#through, through);
    const { decidedThrough } = this.#engine.ledger;
    for (const [id, { cause }] of this.#wanted) if (cause <= decidedThrough) this.#wanted.delete(id);
    this.#answer({ intents: this.#texts([...this.#wanted.values()]), faults: this.#faulty });
  }

  #stepAll({ at, seqs, entries: text, through }: OrderOf<'step'>): Pick<Decision, 'intents' | 'faults'> {
    const written: readonly unknown[] = JSON.parse(text);
    const entries = written.map((one, index): Entry => {
      const seq = seqs[index]!;
      return one === null ? { kind: 'tick', at, seq } : numbered(entryOf(one), seq);
    });
    const made = this.#steps(entries);
    this.#through = through;
    return made;
  }

  #steps(entries: readonly Entry[]): Pick<Decision, 'intents' | 'faults'> {
    const wanted: Intent[] = [];
    const thrown: PolicyFault[] = [];
    for (const entry of entries) {
      if (entry.kind === 'intent') this.#wanted.delete(entry.intent.id);
      else if (entry.kind === 'quarantine') this.#faulty = this.#faulty.filter(({ policy }) => policy !== entry.policy);
      const { intents, faults, nextDue } = this.#engine.step(entry);
      this.#through = entry.seq;
      this.#stepped = entry.seq;
      this.#nextDue = nextDue;
      if (intents.length > 0) wanted.push(...intents);
      if (faults.length > 0) thrown.push(...faults);
    }
    this.#remember(wanted, thrown);
    return { intents: this.#texts(wanted), faults: thrown };
  }

  #remember(intents: readonly Intent[], faults: readonly PolicyFault[]): void {
    for (const intent of intents) this.#wanted.set(intent.id, intent);
    if (faults.length > 0) this.#faulty = [...this.#faulty, ...faults];
  }

  /** What an author put into a desire may run code of his when it is written. */
  #texts(intents: readonly Intent[]): string[] {
    return intents.map((intent) => {
      const place = this.#deployed.findIndex(({ policy }) => policy.name === intent.policy);
      this.#watch.enter(place, intent.cause);
      try {
        return JSON.stringify(intent);
      } finally {
        this.#watch.leave(place);
      }
    });
  }

  #standing(): Standing {
    const [heldSince, unsettled] = [this.#engine.heldSince(), this.#engine.unsettled()];
    return { through: this.#through, nextDue: this.#nextDue, heldSince, unsettled };
  }

  #answer(made: Pick<Decision, 'intents' | 'faults'>): void {
    this.#options.report({ kind: 'decided', decision: { ...this.#standing(), ...made } });
  }

  /** Of this moment; written in pieces while what comes is stepped. */
  #snapshot({ id, through, at, older, requests }: OrderOf<'snapshot'>): void {
    const { wall, report } = this.#options;
    // Between the last entry that it was handed and this one lies nothing that concerns it.
    if (through > this.#stepped) this.#answer(this.#steps([{ kind: 'tick', at, seq: through }]));
    const derived: EntryBody[] = [...this.#wanted.values()].map((intent) => ({ kind: 'intent', intent }));
    for (const fault of this.#faulty) derived.push({ kind: 'quarantine', ...fault });
    const parts = { older, derived, requests: [requests].values() };
    const ways = { wall, sliceMs: snapshotSliceMs, turn, pack: packed };
    writtenSnapshot(this.#engine, { through, at }, parts, ways).then(
      (snapshot) => report({ kind: 'written', id, snapshot }, [snapshot.blob.buffer]),
      (thrown: unknown) => report({ kind: 'written', id, snapshot: messageOf(thrown) }),
    );
  }

  #held(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.#deployed.map(({ policy: { name } }) => [name, this.#engine.heldBy(name)]));
  }

  #tell(what: OrderOf<'ask'>['what']): Told {
    if (what === 'held') return { what, held: this.#held() };
    if (what === 'remembered')
      return { what, remembered: Object.fromEntries(this.#engine.policies().map(({ name, remembered }) => [name, remembered])) };
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
    const texts = Object.entries(cellTexts(this.#engine));
    return { what, cells: Object.fromEntries(texts.map(([path, text]) => [path, digest(text)])) };
  }
}

/** It has just been read, and nobody else has it. */
const numbered = (entry: NewEntry, seq: number): Entry => Object.assign(entry, { seq });

/** The journal as it was when `through` was its last entry: what came after is handed over, or read later. */
function upTo(journal: SnapshotJournal, through: number): SnapshotJournal {
  async function* bounded<E extends Entry>(batches: AsyncIterable<readonly E[]>): AsyncIterable<readonly E[]> {
    for await (const batch of batches) {
      const last = batch.at(-1);
      if (!last || last.seq <= through) {
        yield batch;
        continue;
      }
      const some = batch.filter(({ seq }) => seq <= through);
      if (some.length > 0) yield some;
      return;
    }
  }
  return {
    read: (fromSeq) => bounded(journal.read(fromSeq)),
    ofKind: (kind, fromSeq) => bounded(journal.ofKind(kind, fromSeq)),
    async tail() {
      const tail = await journal.tail();
      return { ...tail, lastSeq: Math.min(tail.lastSeq, through) };
    },
    getBlob: (digest) => journal.getBlob(digest),
  };
}
