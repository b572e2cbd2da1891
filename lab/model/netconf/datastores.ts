// Owns: the datastores of one device as all its NETCONF sessions share them: running, candidate, locks, and a commit that
// waits to be confirmed (RFC 6241 sections 7.5, 8.3 and 8.4).
import type { Wall } from '../../../src/ports/wall.ts';
import type { Device, Operator } from '../device.ts';
import { type DataNode, renderData } from './data-tree.ts';
import { changesBetween, checkData, nativeData } from './native.ts';
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

export interface Datastores {
  data(store: Datastore): readonly DataNode[];
  setCandidate(session: SessionIdentity, data: readonly DataNode[]): void;
  discard(session: SessionIdentity): void;
  validate(store: Datastore): void;
  commit(session: SessionIdentity, confirmed: ConfirmedCommit | undefined, persistId: string | undefined): void;
  cancel(session: SessionIdentity, persistId: string | undefined): void;
  lock(session: SessionIdentity, store: Datastore): void;
  unlock(session: SessionIdentity, store: Datastore): void;
  /** Locks go, its own unconfirmed commit is undone, a candidate it had locked is discarded. */
  sessionEnded(session: SessionIdentity): void;
  /** Power is gone: nothing of all this was in the startup configuration. */
  forget(): void;
}

interface Pending {
  readonly owner: SessionIdentity;
  readonly persist: string | undefined;
  readonly before: readonly DataNode[];
  readonly cancelTimer: () => void;
}

export function createDatastores(device: Device, wall: Wall): Datastores {
  const locks = new Map<Datastore, SessionIdentity>();
  let candidate: readonly DataNode[] | undefined;
  let pending: Pending | undefined;
  let transactions = 0;

  const running = () => nativeData(device.running);
  const data = (store: Datastore) => (store === 'candidate' ? (candidate ?? running()) : running());
  const isDirty = () => candidate !== undefined && renderData(candidate) !== renderData(running());

  const refuseLocked = (session: SessionIdentity, store: Datastore) => {
    const holder = locks.get(store);
    if (holder && holder.id !== session.id)
      throw new Refusal({
        type: 'application',
        tag: 'in-use',
        message: `the ${store} datastore is locked by session ${holder.id}`,
      });
  };
  const denied = (message: string, holder: number) =>
    new Refusal({ type: 'protocol', tag: 'lock-denied', message, info: `<session-id>${holder}</session-id>` });

  /** Makes running what the data say, line by line, and says so as IOS-XE does [weak: forms known from captures only]. */
  const write = (wanted: readonly DataNode[], operator: Operator) => {
    const changes = changesBetween(running(), wanted);
    for (const { change, line } of changes) device.configure(change, line, operator);
    if (changes.length === 0) return;
    transactions += 1;
    device.syslog(
      'SYS-5-CONFIG_P',
      'Configured programmatically by process iosp_dmiauthd_conn_100001_vty_100001 from console as NETCONF on vty63',
    );
    device.syslog(
      'DMI-5-CONFIG_I',
      `R0/0: dmiauthd: Configured from NETCONF/RESTCONF by ${operator.user}, transaction-id ${transactions}`,
    );
  };
  const rollBack = () => {
    if (!pending) return;
    const { before, owner, cancelTimer } = pending;
    pending = undefined;
    cancelTimer();
    if (device.powered) write(before, owner.operator);
  };
  const owned = (session: SessionIdentity, persistId: string | undefined): boolean => {
    if (!pending) return false;
    if (persistId !== undefined) return pending.persist === persistId;
    return pending.persist === undefined && pending.owner.id === session.id;
  };

  return {
    data,
    setCandidate(session, next) {
      refuseLocked(session, 'candidate');
      candidate = next;
    },
    discard(session) {
      refuseLocked(session, 'candidate');
      candidate = undefined;
    },
    validate: (store) => checkData(data(store)),
    commit(session, confirmed, persistId) {
      refuseLocked(session, 'running');
      refuseLocked(session, 'candidate');
      if (persistId !== undefined && !owned(session, persistId))
        throw new Refusal({
          type: 'application',
          tag: 'invalid-value',
          message: 'no commit with this persist-id waits to be confirmed',
        });
      if (pending && !owned(session, persistId))
        throw new Refusal({
          type: 'application',
          tag: 'in-use',
          message: `a commit of session ${pending.owner.id} waits to be confirmed`,
        });
      const wanted = data('candidate');
      checkData(wanted);
      const before = pending?.before ?? running();
      pending?.cancelTimer();
      pending = undefined;
      write(wanted, session.operator);
      candidate = undefined;
      if (confirmed) {
        const cancelTimer = wall.after(confirmed.timeoutMs, rollBack);
        pending = { owner: session, persist: confirmed.persist, before, cancelTimer };
      }
    },
    cancel(session, persistId) {
      if (!owned(session, persistId))
        throw new Refusal({
          type: 'application',
          tag: persistId === undefined ? 'operation-failed' : 'invalid-value',
          message: 'no such commit waits to be confirmed',
        });
      rollBack();
    },
    lock(session, store) {
      const holder = locks.get(store);
      if (holder) throw denied(`the ${store} datastore is locked by session ${holder.id}`, holder.id);
      if (store === 'candidate' && isDirty()) throw denied('the candidate datastore has uncommitted changes', 0);
      if (store === 'running' && pending && pending.owner.id !== session.id)
        throw denied(`a commit of session ${pending.owner.id} waits to be confirmed`, pending.owner.id);
      locks.set(store, session);
    },
    unlock(session, store) {
      if (locks.get(store)?.id !== session.id)
        throw new Refusal({ type: 'application', tag: 'operation-failed', message: `this session holds no lock on ${store}` });
      locks.delete(store);
      if (store === 'candidate') candidate = undefined;
    },
    sessionEnded(session) {
      if (locks.get('candidate')?.id === session.id) candidate = undefined;
      for (const [store, holder] of [...locks]) if (holder.id === session.id) locks.delete(store);
      if (pending?.owner.id === session.id && pending.persist === undefined) rollBack();
    },
    forget() {
      pending?.cancelTimer();
      pending = undefined;
      candidate = undefined;
      locks.clear();
    },
  };
}
