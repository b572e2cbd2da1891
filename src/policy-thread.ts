// Owns: the thread that runs policies: composition only. Started by src/runtime/apart/thread.ts with the journal's path and memory that
// both share.
import { setPriority } from 'node:os';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { readSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import type { CallWatch } from './core/slot.ts';
// Loaded before anything is taken away: policies import it.
import './index.ts';
import { CallCell } from './runtime/apart/call-cell.ts';
import { policyEvaluator } from './runtime/apart/evaluate.ts';
import type { BundledPolicy, Order, Report, ThreadData } from './runtime/apart/messages.ts';
import { Mind } from './runtime/apart/mind.ts';
import { takeWorldAway } from './runtime/apart/no-world.ts';
import { Scales } from './runtime/apart/scales.ts';
import { realWall } from './runtime/wall.ts';

/** setpriority(2) of the calling thread: receiving, journaling and what devices are asked go first where cores are few. */
const policiesNice = 5;
if (process.platform === 'linux') setPriority(0, policiesNice);

const port = parentPort!;
const { journal, calls } = workerData as ThreadData;
const cell = new CallCell(calls);
const evaluate = policyEvaluator();
const report = (what: Report, handOver: readonly ArrayBuffer[] = []): void => port.postMessage(what, [...handOver]);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function used(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function watch(policies: number): CallWatch {
  let seq = 0;
  const scales = new Scales({
    policies,
    used,
    collect,
    heavy: (policy, keptBytes) => report({ kind: 'heavy', policy, seq, keptBytes }),
  });
  return {
    enter(policy, entry) {
      seq = entry;
      scales.enter(policy);
      cell.enter(policy, entry);
    },
    leave(policy) {
      cell.leave();
      scales.leave(policy);
    },
  };
}

/** What stands at the top of a file is watched as well. */
async function evaluateWatched(bundled: BundledPolicy, place: number) {
  cell.enter(place, 0);
  try {
    return await evaluate(bundled);
  } finally {
    cell.leave();
  }
}

const mind = new Mind({
  wall: realWall,
  openJournal: () => readSqliteJournal({ path: journal }),
  evaluate: evaluateWatched,
  watch,
  report,
});
takeWorldAway(() => cell.inside);
port.on('message', (order: Order) => mind.follow(order));
