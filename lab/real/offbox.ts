// Owns: running the product in the lab: `offbox start` on mgr, as an operator would, and what it journals, read from its
// standard output. Nothing here knows its insides.
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from '../../src/model/entry.ts';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { RealNetwork } from './network.ts';
import { onLines, stop } from './process.ts';

const root = join(import.meta.dirname, '../..');

export interface OffboxRun {
  /** Its configuration, inventory and journal: start again with this one and it goes on. */
  readonly folder: string;
  readonly entries: readonly Entry[];
  /** The first entry, past or future, that this holds for. */
  first(what: string, holds: (entry: Entry) => boolean, withinMs: number): Promise<Entry>;
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
}

async function makeOffboxFolder(network: RealNetwork): Promise<string> {
  const folder = await mkdtemp(join(network.folder.path, 'offbox-'));
  const paths = { inventory: join(folder, 'inventory.yaml'), policies: join(root, 'policies'), data: join(folder, 'data') };
  await writeFile(paths.inventory, network.inventoryYaml());
  await writeFile(join(folder, 'offbox.yaml'), network.offboxYaml(paths));
  return folder;
}

/** Starts it with a journal of its own or, given the folder of an earlier run, with that one's. */
export async function startOffbox(network: RealNetwork, earlier?: string): Promise<OffboxRun> {
  const folder = earlier ?? (await makeOffboxFolder(network));
  const argv = [process.execPath, join(root, 'bin/offbox.js'), 'start', '--json', '--config', join(folder, 'offbox.yaml')];
  const child = network.spawnIn('mgr', argv, { cwd: folder });
  const entries: Entry[] = [];
  const listeners = new Set<(entry: Entry) => void>();
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-4_000);
  });
  onLines(child, (line) => {
    const entry = JSON.parse(line) as Entry;
    entries.push(entry);
    for (const listener of listeners) listener(entry);
  });
  const fault = (what: string) => {
    const said = complaint.trim() || 'nothing';
    const seen = entries.slice(-8).map((entry) => JSON.stringify(entry).slice(0, 400));
    const remedy = `It said ${said}; its last entries: ${seen.join('\n') || 'none'}`;
    return new RuntimeFault(`[lab] Offbox ${what}`, { code: 'lab-offbox', remedy });
  };
  const ended = once(child, 'exit').then(([code]) => fault(`ended with ${code}`));
  return {
    folder,
    entries,
    first(what, holds, withinMs) {
      const past = entries.find(holds);
      if (past) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const listener = (entry: Entry) => {
          if (holds(entry)) settle(() => resolve(entry));
        };
        const timer = setTimeout(() => settle(() => reject(fault(`journaled no ${what} within ${withinMs} ms`))), withinMs);
        const settle = (how: () => void) => {
          clearTimeout(timer);
          listeners.delete(listener);
          how();
        };
        listeners.add(listener);
        void ended.then((error) => settle(() => reject(error)));
      });
    },
    stop: () => stop(child),
    kill: () => stop(child, 'SIGKILL'),
  };
}
