// Owns: migrations from their start to their end: each on a connection of its own, because its call lasts as long as it does,
// and why the last one of each VM failed.
import { summaryOf, TargetError } from '../../src/model/errors.ts';
import { libvirtFailuresMax, libvirtJobPollMs, libvirtMigrateMs, libvirtPostCopyPass } from '../../src/model/limits.ts';
import type { Command, MigrateOptions, Secrets } from '../../src/ports/actuator.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { connectLibvirt, type LibvirtClient, type LibvirtPeer } from '../libvirt-rpc/index.ts';
import { type Domain, events, migrateFlags, procedures, type RemoteEvent, type TypedParam } from '../libvirt-rpc/protocol.ts';
import { jobOf } from './reads.ts';

type Migrate = Extract<Command, { kind: 'migrate' }>;
type Ended = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: unknown };

export class Migrations {
  readonly #wall: Wall;
  readonly #secrets: Secrets;
  /** By hypervisor and UUID, oldest first. */
  readonly #failures = new Map<string, string>();
  /** Those whose call has not come back, whether or not libvirtd shows a job yet. */
  readonly #underWay = new Set<string>();

  constructor({ wall, secrets }: { readonly wall: Wall; readonly secrets: Secrets }) {
    this.#wall = wall;
    this.#secrets = secrets;
  }

  /** Why the last migration that was started here failed; undefined where it did not, or is on. */
  failureOf(hypervisor: string, uuid: string): string | undefined {
    return this.#failures.get(`${hypervisor} ${uuid}`);
  }

  isUnderWay(hypervisor: string, uuid: string): boolean {
    return this.#underWay.has(`${hypervisor} ${uuid}`);
  }

  /**
   * Resolves once libvirtd shows the job, or the migration is over. Rejects with libvirt's no where it refused at once.
   * `session`: another connection to the same libvirtd, to look from.
   */
  async start(peer: LibvirtPeer, session: LibvirtClient, command: Migrate, signal: AbortSignal): Promise<string> {
    const postCopy = new PostCopy();
    const event = (each: RemoteEvent): void => postCopy.see(each);
    const options = { wall: this.#wall, secrets: this.#secrets, mode: 'read-write', event } as const;
    const own = await connectLibvirt(peer, options, signal);
    own.unref();
    let ended: Promise<Ended> | undefined;
    try {
      const { dom } = await own.call(procedures.lookupByUuid, { uuid: command.uuid });
      if (command.options.postCopy) await postCopy.arm(own, dom);
      this.#note(peer, command.uuid, undefined);
      ended = this.#perform(peer, own, dom, command);
      return await this.#takenUp(session, dom, ended, signal);
    } catch (error) {
      // Begun, it goes on, and its end is heard, whoever gave up waiting for the beginning.
      if (!ended) void own.close();
      throw error;
    }
  }

  /** The whole migration; never rejects. Its failure is remembered from then on. */
  async #perform(peer: LibvirtPeer, own: LibvirtClient, dom: Domain, { uri, options }: Migrate): Promise<Ended> {
    const key = `${peer.name} ${dom.uuid}`;
    this.#underWay.add(key);
    try {
      const { persistent } = await own.call(procedures.isPersistent, { dom });
      // A transient domain has no definition to take along.
      const flags = flagsOf({ ...options, persistent: options.persistent && persistent === 1 });
      const args = { dom, dconnuri: uri, params: paramsOf(options), cookieIn: new Uint8Array(0), flags };
      await own.call(procedures.migratePerform, args, { deadlineMs: libvirtMigrateMs });
      return { kind: 'done' };
    } catch (error) {
      // Cut off, it may go on: then the domain's job says so, and this is what is known where it does not.
      this.#note(peer, dom.uuid, summaryOf(error).replace(/^\[[\w-]+\] /, ''));
      return { kind: 'failed', error };
    } finally {
      this.#underWay.delete(key);
      void own.close();
    }
  }

  async #takenUp(session: LibvirtClient, dom: Domain, ended: Promise<Ended>, signal: AbortSignal): Promise<string> {
    let over: Ended | undefined;
    void ended.then((how) => {
      over = how;
    });
    while (!over) {
      // Once the domain has left, nothing is there to ask: the end says it all.
      const { job } = await jobOf(session, dom).catch((error: unknown) => {
        if (error instanceof TargetError && !error.retry) return { job: undefined };
        throw error;
      });
      if (job === 'migration-out') return 'the migration is on';
      await Promise.race([ended, this.#wall.sleep(libvirtJobPollMs, signal)]);
    }
    if (over.kind === 'failed') throw over.error;
    return 'migrated';
  }

  #note(peer: LibvirtPeer, uuid: string, failure: string | undefined): void {
    const key = `${peer.name} ${uuid}`;
    this.#failures.delete(key);
    if (failure === undefined) return;
    this.#failures.set(key, failure);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > libvirtFailuresMax) this.#failures.delete(oldest!);
  }
}

function flagsOf({ autoConverge, postCopy, persistent }: MigrateOptions): number {
  return (
    migrateFlags.live |
    migrateFlags.peerToPeer |
    (persistent ? migrateFlags.persistDest | migrateFlags.undefineSource : 0) |
    (autoConverge ? migrateFlags.autoConverge : 0) |
    (postCopy ? migrateFlags.postCopy : 0)
  );
}

function paramsOf({ bandwidthMiBs, postCopy }: MigrateOptions): readonly TypedParam[] {
  if (bandwidthMiBs === undefined) return [];
  const limit = (field: string): TypedParam => ({ field, type: 'ullong', value: bandwidthMiBs });
  return postCopy ? [limit('bandwidth'), limit('bandwidth.postcopy')] : [limit('bandwidth')];
}

/** Being allowed is not being done: somebody has to say when. We do, once a pass more has not been enough. */
class PostCopy {
  #switch: (() => void) | undefined;

  async arm(own: LibvirtClient, dom: Domain): Promise<void> {
    await own.call(procedures.registerEvent, { eventId: events['migration-iteration'].id, dom });
    this.#switch = () => void own.call(procedures.startPostCopy, { dom, flags: 0 }).catch(() => undefined);
  }

  see(event: RemoteEvent): void {
    if (event.kind !== 'migration-iteration' || event.iteration < libvirtPostCopyPass) return;
    this.#switch?.();
    this.#switch = undefined;
  }
}
