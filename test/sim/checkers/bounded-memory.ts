// Owns: the checker: when all is calm, what the runtime holds is as large as the network is, not as long as its history.
import { hosts, pair, switches } from '../network.ts';
import type { Finished } from '../simulate.ts';

const targets = pair.length + switches.length + hosts.length;

export function boundedMemory({ nodes, devices }: Finished): readonly string[] {
  const { holder } = nodes;
  if (!holder) return [];
  const { runtime, process } = holder;
  const found: string[] = [];
  const most = (what: string, is: number, limit: number): void => {
    if (is > limit) found.push(`${is} ${what}, ${limit} at most`);
  };
  for (const [path, records] of Object.entries(runtime.engine.cells.snapshot()))
    most(`cells of ${path}`, records.length, targets);
  most('alarms', runtime.engine.clock.size, 64 + 2 * targets);
  most('entries waiting', runtime.host.stats().pending, 0);
  for (const { waiting, held, target } of runtime.executor.status())
    most(`intents waiting or held for ${target}`, waiting + held, 0);
  most('events shown', runtime.view.events().length, 1_000);
  most('intents shown', runtime.view.intents().length, 1_000);
  // The host's tick and the look at the journal's room, and nothing else that waits for nothing.
  most('timers', process.timers, 2);
  for (const { name, hangUps } of devices.values()) most(`sessions with ${name}`, hangUps.size, 1);
  return found;
}
