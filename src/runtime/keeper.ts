// Owns: how much the journal keeps, and the brake on acting where room gets short: Offbox stops acting before it stops remembering.
import { messageOf } from '../model/errors.ts';
import { journalReserveBytes, journalRoomMs, journalTrimShare } from '../model/limits.ts';
import type { Journal, Room } from '../ports/journal.ts';
import type { Wall } from '../ports/wall.ts';
import { type Forgetting, forgetting, type Needs } from './retention.ts';
import { isWhole, type KeptSnapshot } from './snapshots.ts';

export interface Keeping {
  /** Entries of this age stay, milliseconds. */
  readonly keepMs: number;
  /** The journal's own size limit. */
  readonly bytesMax: number;
}

export interface KeeperOptions {
  readonly wall: Wall;
  readonly journal: Pick<Journal, 'room' | 'trim' | 'deleteBlob' | 'getBlob'>;
  readonly keeping: Keeping;
  readonly needs: () => Needs;
  readonly kept: () => readonly KeptSnapshot[];
  readonly forget: (gone: ReadonlySet<number>) => void;
  /** The journal must get shorter, and no snapshot stands for any more of it: one is wanted now. */
  readonly hurry: () => void;
  readonly warn: (text: string) => void;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #reserveBytes: number;
  #short: PromiseWithResolvers<void> | undefined;
  #cancel: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #room: Room | undefined;
  #stopped = false;
  /** What it said last of why it cannot look. */
  #fault: string | undefined;
  /** Entries up to this one are gone, as far as this process knows. */
  #begun = 0;
  /** Seqs of snapshots that were read and are whole. */
  readonly #whole = new Set<number>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#reserveBytes = Math.min(journalReserveBytes, options.keeping.bytesMax / 20);
  }

  /** As last seen. */
  get room(): Room | undefined {
    return this.#room;
  }

  /** Whether nothing is attempted, for want of room. */
  get isShort(): boolean {
    return this.#short !== undefined;
  }

  /** Resolves when there is room enough to remember what comes of acting: at once, mostly. */
  async enough(): Promise<void> {
    await this.#short?.promise;
  }

  /** Looks once before anything is done, then again and again. */
  async start(): Promise<void> {
    await this.look();
    this.#arm();
  }

  /** Looks how much room there is, and forgets what may be forgotten. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .then(() => this.#cannot(undefined))
      .catch((thrown: unknown) => this.#cannot(messageOf(thrown)))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** What waits for room is let go: the journal refuses it if it must. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    this.#short?.resolve();
    await this.#looking;
  }

  /** It is looked every second: the same is said once. */
  #cannot(fault: string | undefined): void {
    if (fault !== undefined && fault !== this.#fault) this.#options.warn(`the journal's room cannot be looked after: ${fault}`);
    this.#fault = fault;
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.wall.after(journalRoomMs, () => void this.look().then(() => this.#arm()));
  }

  async #look(): Promise<void> {
    const { wall, journal, keeping, kept, forget, hurry } = this.#options;
    const { usedBytes } = await this.#see();
    const isLarge = usedBytes > keeping.bytesMax * journalTrimShare;
    // As old as it is at the newest snapshot: a clock that is ahead until somebody sets it makes nothing old.
    const now = Math.min(wall.now(), kept().at(-1)?.at ?? Number.POSITIVE_INFINITY);
    const since = isLarge ? Number.POSITIVE_INFINITY : now - keeping.keepMs;
    const { upTo, snapshots } = await this.#forgettable(since, now);
    if (isLarge && kept().every(({ through }) => through <= this.#begun)) hurry();
    const isTrimmed = upTo !== undefined && upTo.through > this.#begun;
    if (isTrimmed) {
      await journal.trim(upTo.through + 1);
      this.#begun = upTo.through;
    }
    for (const { digest } of snapshots) await journal.deleteBlob(digest);
    forget(new Set(snapshots.map(({ seq }) => seq)));
    if (isTrimmed || snapshots.length > 0) await this.#see();
  }

  /** What stands for what goes is read first, once: what cannot be read stands for nothing. Nothing is awaited after the last answer. */
  async #forgettable(since: number, now: number): Promise<Forgetting> {
    const { journal, kept, needs, forget, warn } = this.#options;
    for (;;) {
      const found = forgetting(kept(), needs(), since, now, this.#begun);
      const goes = found.snapshots.length > 0 || (found.upTo !== undefined && found.upTo.through > this.#begun);
      const unread = found.relied.find(({ seq }) => !this.#whole.has(seq));
      if (!goes || !unread) return found;
      if (await isWhole(journal, unread)) this.#whole.add(unread.seq);
      else {
        warn(`the snapshot of entry ${unread.seq} cannot be used any more: nothing is forgotten because of it`);
        forget(new Set([unread.seq]));
      }
    }
  }

  async #see(): Promise<Room> {
    const room = await this.#options.journal.room();
    this.#room = room;
    const { freeBytes } = room;
    // Nobody would let go any more of what waits.
    if (this.#stopped) return room;
    if (!this.#short && freeBytes < this.#reserveBytes) {
      this.#short = Promise.withResolvers();
      this.#options.warn(
        `the journal has room for ${megabytes(freeBytes)} more: nothing is done on any target until there is more. Free disk space, or raise journal.maxBytes.`,
      );
    } else if (this.#short && freeBytes > 2 * this.#reserveBytes) {
      this.#short.resolve();
      this.#short = undefined;
      this.#options.warn(`the journal has room again (${megabytes(freeBytes)}): what waited is done now`);
    }
    return room;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
