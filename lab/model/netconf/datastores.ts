// Owns: the datastores of one device as all its NETCONF sessions share them: running, candidate, locks, and a commit that
// waits to be confirmed (RFC 6241 sections 7.5, 8.3 and 8.4).
import type { Wall } from '../../../src/ports/wall.ts';
import type { Chassis, Operator } from '../chassis.ts';
import { type DataNode, renderData } from './data-tree.ts';
import type { DeviceModels } from './models.ts';
import { Refusal } from './rpc-error.ts';

export type Datastore = 'running' | 'candidate';

/** What the datastores know of a session. */
export interface SessionIdentity {
  readonly id: number;
  readonly operator: Operator;
}

export interface ConfirmedCommit {
  readonly timeoutMs: number;
  /** Names it so that another session can confirm or cancel it, and it outlives this one. */
  readonly persist: string | undefined;
}

interface Pending {
  readonly owner: SessionIdentity;
  readonly persist: string | undefined;
  readonly before: readonly DataNode[];
  readonly cancelTimer: () => void;
}

export class Datastores {
  readonly #device: Chassis;
  readonly #models: DeviceModels;
  readonly #wall: Wall;
  readonly #locks = new Map<Datastore, SessionIdentity>();
  /** Undefined while it is what running is. */
  #candidate: readonly DataNode[] | undefined;
  #pending: Pending | undefined;
  #transactions = 0;

  constructor(device: Chassis, models: DeviceModels, wall: Wall) {
    this.#device = device;
    this.#models = models;
    this.#wall = wall;
  }

  data(store: Datastore): readonly DataNode[] {
    return (store === 'candidate' ? this.#candidate : undefined) ?? this.#models.read(this.#device.running);
  }

  setCandidate(session: SessionIdentity, data: readonly DataNode[]): void {
    this.#refuseLocked(session, 'candidate');
    this.#candidate = data;
  }

  discard(session: SessionIdentity): void {
    this.#refuseLocked(session, 'candidate');
    this.#candidate = undefined;
  }

  validate(store: Datastore): void {
    this.#models.check(this.data(store));
  }

  commit(session: SessionIdentity, confirmed: ConfirmedCommit | undefined, persistId: string | undefined): void {
    this.#refuseLocked(session, 'running');
    this.#refuseLocked(session, 'candidate');
    this.#refuseOthersPending(session, persistId);
    const wanted = this.data('candidate');
    this.#models.check(wanted);
    const before = this.#pending?.before ?? this.data('running');
    this.#pending?.cancelTimer();
    this.#pending = undefined;
    this.#write(wanted, session.operator);
    this.#candidate = undefined;
    if (!confirmed) return;
    const cancelTimer = this.#wall.after(confirmed.timeoutMs, () => this.#rollBack());
    this.#pending = { owner: session, persist: confirmed.persist, before, cancelTimer };
  }

  cancel(session: SessionIdentity, persistId: string | undefined): void {
    if (!this.#isTheirs(session, persistId)) {
      const tag = persistId === undefined ? 'operation-failed' : 'invalid-value';
      throw new Refusal({ type: 'application', tag, message: 'no such commit waits to be confirmed' });
    }
    this.#rollBack();
  }

  lock(session: SessionIdentity, store: Datastore): void {
    const holder = this.#locks.get(store);
    if (holder) throw lockDenied(`the ${store} datastore is locked by session ${holder.id}`, holder.id);
    if (store === 'candidate' && this.#isDirty()) throw lockDenied('the candidate datastore has uncommitted changes', 0);
    const owner = this.#pending?.owner;
    if (store === 'running' && owner && owner.id !== session.id)
      throw lockDenied(`a commit of session ${owner.id} waits to be confirmed`, owner.id);
    this.#locks.set(store, session);
  }

  unlock(session: SessionIdentity, store: Datastore): void {
    if (this.#locks.get(store)?.id !== session.id) {
      const message = `this session holds no lock on ${store}`;
      throw new Refusal({ type: 'application', tag: 'operation-failed', message });
    }
    this.#locks.delete(store);
    if (store === 'candidate') this.#candidate = undefined;
  }

  /** Locks go, its own unconfirmed commit is undone, a candidate it had locked is discarded. */
  sessionEnded(session: SessionIdentity): void {
    if (this.#locks.get('candidate')?.id === session.id) this.#candidate = undefined;
    for (const [store, holder] of [...this.#locks]) if (holder.id === session.id) this.#locks.delete(store);
    if (this.#pending?.owner.id === session.id && this.#pending.persist === undefined) this.#rollBack();
  }

  /** Power is gone: nothing of all this was in the startup configuration. */
  forget(): void {
    this.#pending?.cancelTimer();
    this.#pending = undefined;
    this.#candidate = undefined;
    this.#locks.clear();
  }

  #isDirty(): boolean {
    return this.#candidate !== undefined && renderData(this.#candidate) !== renderData(this.data('running'));
  }

  #refuseLocked(session: SessionIdentity, store: Datastore): void {
    const holder = this.#locks.get(store);
    if (!holder || holder.id === session.id) return;
    throw new Refusal({
      type: 'application',
      tag: 'in-use',
      message: `the ${store} datastore is locked by session ${holder.id}`,
    });
  }

  #refuseOthersPending(session: SessionIdentity, persistId: string | undefined): void {
    if (this.#isTheirs(session, persistId)) return;
    if (persistId !== undefined) {
      const message = 'no commit with this persist-id waits to be confirmed';
      throw new Refusal({ type: 'application', tag: 'invalid-value', message });
    }
    if (!this.#pending) return;
    const message = `a commit of session ${this.#pending.owner.id} waits to be confirmed`;
    throw new Refusal({ type: 'application', tag: 'in-use', message });
  }

  /** Whether the commit that waits is the one named, or without a name the session's own. */
  #isTheirs(session: SessionIdentity, persistId: string | undefined): boolean {
    const pending = this.#pending;
    if (!pending) return false;
    return persistId === undefined
      ? pending.persist === undefined && pending.owner.id === session.id
      : pending.persist === persistId;
  }

  #rollBack(): void {
    if (!this.#pending) return;
    const { before, owner, cancelTimer } = this.#pending;
    this.#pending = undefined;
    cancelTimer();
    if (this.#device.powered) this.#write(before, owner.operator);
  }

  /** Makes running what the data say, line by line, and says so as IOS-XE does [weak: general knowledge, no capture at hand]. */
  #write(wanted: readonly DataNode[], operator: Operator): void {
    const changes = this.#models.changes(this.data('running'), wanted);
    for (const { change, line } of changes) this.#device.configure(change, line, operator);
    if (changes.length === 0) return;
    this.#transactions += 1;
    this.#device.syslog(
      'SYS-5-CONFIG_P',
      'Configured programmatically by process iosp_dmiauthd_conn_100001_vty_100001 from console as NETCONF on vty63',
    );
    this.#device.syslog(
      'DMI-5-CONFIG_I',
      `R0/0: dmiauthd: Configured from NETCONF/RESTCONF by ${operator.user}, transaction-id ${this.#transactions}`,
    );
  }
}

function lockDenied(message: string, holder: number): Refusal {
  return new Refusal({ type: 'protocol', tag: 'lock-denied', message, info: `<session-id>${holder}</session-id>` });
}
