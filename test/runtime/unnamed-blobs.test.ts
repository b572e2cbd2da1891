// Snapshots that no entry names are forgotten at a start; whatever else is among the blobs stays.
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import type { DeployedPolicy } from '../../src/core/policy.ts';
import { policy, syslog } from '../../src/index.ts';
import type { NewEntry } from '../../src/model/entry.ts';
import { snapshotMs } from '../../src/model/limits.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { forgetUnnamed } from '../../src/runtime/unnamed-blobs.ts';
import { eventOf, rig } from './rig.ts';

const idle = (version: string, bundle: string): DeployedPolicy => ({
  version,
  bundle,
  policy: policy({ name: 'idle', on: syslog(), pipe: (events) => events }),
});

const something = eventOf('gw-a', { kind: 'config.changed' });

/** The process dies between a snapshot's blob and its entry. */
function diesBeforeTheEntry(journal: Journal): { readonly journal: Journal; readonly stored: string[] } {
  const stored: string[] = [];
  return {
    stored,
    journal: {
      ...journal,
      async putBlob(bytes) {
        const digest = await journal.putBlob(bytes);
        stored.push(digest);
        return digest;
      },
      append: (batch, expect) =>
        batch.some(({ kind }) => kind === 'snapshot') ? new Promise(() => undefined) : journal.append(batch, expect),
    },
  };
}

const snapshotEntry = (digest: string): NewEntry => {
  return { at: 1, kind: 'snapshot', through: 0, digest, runtime: '0', policies: {}, unsettled: [] };
};
const running = new AbortController().signal;

describe('a start', () => {
  test('forgets the snapshot that its process died over, and keeps bundles and the snapshots that entries name', async () => {
    const journal = memoryJournal();
    const first = await rig({ policies: [idle('v1', 'one')], journal, snapshots: true });
    await first.pass(snapshotMs);
    first.runtime.host.sink('test').offer([something]);
    await first.until(() => first.taken.length === 1);
    const named = await journal.blobs();
    expect(named).toHaveLength(2);
    first.die();

    const dying = diesBeforeTheEntry(journal);
    const { wall, world } = first;
    const second = await rig({ policies: [idle('v2', 'two')], journal: dying.journal, wall, world, epoch: 2, snapshots: true });
    await second.pass(snapshotMs);
    second.runtime.host.sink('test').offer([something]);
    await second.until(() => dying.stored.length === 2);
    const [bundle, unnamed] = dying.stored;
    expect([...(await journal.blobs())].sort()).toEqual([...named, bundle, unnamed].sort());
    second.die();

    const third = await rig({ policies: [idle('v2', 'two')], journal, wall, world, epoch: 3, snapshots: true });
    await third.until(async () => !(await journal.blobs()).includes(unnamed!));
    expect([...(await journal.blobs())].sort()).toEqual([...named, bundle].sort());
    expect(third.warnings).toEqual(['idle: replayed alone from entry 1 on']);
  });
});

describe('forgetting unnamed snapshots', () => {
  test('leaves exactly what an entry names, what is kept, and what is no snapshot', async () => {
    const kinds = fc.array(fc.constantFrom('named', 'kept', 'bundle', 'old bundle', 'unnamed', 'trimmed', 'later'), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(kinds, async (all) => {
        const journal = memoryJournal();
        const blobs: { readonly kind: string; readonly digest: string }[] = [];
        const put = async (kind: string, index: number): Promise<void> => {
          const text = Buffer.from(`${kind} ${index}`);
          const digest = await journal.putBlob(kind.endsWith('bundle') ? text : new Uint8Array(zstdCompressSync(text)));
          blobs.push({ kind, digest });
        };
        for (const [index, kind] of all.entries()) if (kind !== 'later') await put(kind, index);
        const listed = await journal.blobs();
        for (const [index, kind] of all.entries()) if (kind === 'later') await put(kind, index);
        const of = (kind: string): string[] => blobs.filter((blob) => blob.kind === kind).map(({ digest }) => digest);
        const deploys = of('bundle').map((bundle): NewEntry => {
          return { at: 1, kind: 'deploy', policy: 'x', version: 'v', runtime: '0', bundle };
        });
        const gone = of('trimmed').map(snapshotEntry);
        await journal.append([...gone, ...of('named').map(snapshotEntry), ...deploys], { epoch: 1, lastSeq: 0 });
        await journal.trim(gone.length + 1);
        const kept = of('kept').map((digest) => ({ seq: 1, through: 0, at: 1, digest, unsettled: false }));
        await forgetUnnamed(journal, listed, kept, running);
        const stays = blobs.filter(({ kind }) => kind !== 'unnamed' && kind !== 'trimmed').map(({ digest }) => digest);
        expect([...(await journal.blobs())].sort()).toEqual(stays.sort());
      }),
      { numRuns: 100 },
    );
  });

  test('asks the entries about one that cannot be read: a torn snapshot goes, a torn bundle stays', async () => {
    const inner = memoryJournal();
    const [torn, bundle] = [await inner.putBlob(Uint8Array.of(1)), await inner.putBlob(Buffer.from('torn bundle'))];
    const deploy: NewEntry = { at: 1, kind: 'deploy', policy: 'x', version: 'v', runtime: '0', bundle };
    await inner.append([deploy], { epoch: 1, lastSeq: 0 });
    const journal = { ...inner, getBlob: () => Promise.reject(new Error('does not match its digest')) };
    await forgetUnnamed(journal, [torn, bundle], [], running);
    expect(await inner.blobs()).toEqual([bundle]);
  });

  test('deletes nothing where entries cannot be read, and nothing when Offbox stops', async () => {
    const inner = memoryJournal();
    const digest = await inner.putBlob(new Uint8Array(zstdCompressSync(Buffer.from('x'))));
    const ofKind = (): never => {
      throw new Error('entries 3 to 4 are missing');
    };
    await expect(forgetUnnamed({ ...inner, ofKind }, [digest], [], running)).rejects.toThrow('are missing');
    await forgetUnnamed(inner, [digest], [], AbortSignal.abort());
    expect(await inner.blobs()).toEqual([digest]);
    await forgetUnnamed(inner, [digest], [], running);
    expect(await inner.blobs()).toEqual([]);
  });
});
