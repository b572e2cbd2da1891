// Owns: the handle on collector.ts, run in a node's network.
import { join } from 'node:path';
import { RuntimeFault } from '../../src/model/errors.ts';
import type { Collected } from './collector.ts';
import type { LabNode } from './node.ts';
import { managerAddress, syslogPorts } from './plan.ts';
import { onLines, start, stop } from './process.ts';

/** A message and when it came, in milliseconds of performance.now. */
export type Heard = Collected & { readonly at: number };

export interface Collector {
  readonly heard: readonly Heard[];
  /** The first message, past or future, that this holds for. */
  first(what: string, holds: (message: Heard) => boolean, withinMs: number): Promise<Heard>;
  stop(): Promise<void>;
}

export async function collectSyslog(node: LabNode): Promise<Collector> {
  const program = join(import.meta.dirname, 'collector.ts');
  const argv = [process.execPath, program, managerAddress, String(syslogPorts.udp), String(syslogPorts.tcp)];
  const child = start(node.network(argv), { stdio: ['ignore', 'pipe', 'inherit'] });
  const heard: Heard[] = [];
  const listeners = new Set<(message: Heard) => void>();
  const listening = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => {
      const remedy = 'See its standard error above.';
      reject(new RuntimeFault(`[lab] the collector ended with ${code}`, { code: 'lab-collector', remedy }));
    });
    onLines(child, (line) => {
      const message = JSON.parse(line) as Collected | { readonly listening: true };
      if ('listening' in message) return resolve();
      const entry = { ...message, at: performance.now() };
      heard.push(entry);
      for (const listener of listeners) listener(entry);
    });
  });
  await listening;
  return {
    heard,
    first(what, holds, withinMs) {
      const past = heard.find(holds);
      if (past) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          listeners.delete(listener);
        };
        const listener = (message: Heard) => {
          if (!holds(message)) return;
          done();
          resolve(message);
        };
        const timer = setTimeout(() => {
          done();
          const last = heard.slice(-5).map(({ text }) => text);
          const remedy = `The last heard: ${last.join(' | ') || 'nothing'}.`;
          reject(new RuntimeFault(`[lab] no ${what} heard within ${withinMs} ms`, { code: 'lab-wait', remedy }));
        }, withinMs);
        listeners.add(listener);
      });
    },
    stop: () => stop(child),
  };
}
