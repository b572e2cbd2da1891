// Owns: the thread that plays stories: composition only. Started by src/testing/stage.ts with memory that both share. Policies have in it
// what they have where they run live (src/policy-thread.ts), and nothing else.
import { parentPort, workerData } from 'node:worker_threads';
import type { DeployedPolicy } from './core/policy.ts';
// Loaded before anything is taken away: policies import it.
import './index.ts';
import { messageOf } from './model/errors.ts';
import { CallCell } from './runtime/apart/call-cell.ts';
import { policyEvaluator } from './runtime/apart/evaluate.ts';
import type { BundledPolicy } from './runtime/apart/messages.ts';
import { takeWorldAway } from './runtime/apart/no-world.ts';
import { checkSelectors } from './runtime/check-policies.ts';
import type { Evaluated, PlayOrder, StageOrder, StageReport } from './testing/stage.ts';
import { playStory } from './testing/story.ts';

const port = parentPort!;
const cell = new CallCell((workerData as { readonly calls: SharedArrayBuffer }).calls);
const evaluate = policyEvaluator();
const report = (what: StageReport): void => port.postMessage(what);

let loaded: readonly ((DeployedPolicy & Pick<BundledPolicy, 'file'>) | string)[] = [];

async function load(bundles: readonly BundledPolicy[]): Promise<void> {
  const made: (typeof loaded)[number][] = [];
  for (const [place, bundled] of bundles.entries()) {
    const { file, version, bundle } = bundled;
    // What stands at the top of a file is watched as well.
    cell.enter(place, 0);
    try {
      made.push({ file, version, bundle, policy: await evaluate(bundled) });
    } catch (thrown) {
      made.push(messageOf(thrown));
    } finally {
      cell.leave();
    }
  }
  loaded = made;
  report({ kind: 'loaded', policies: made.map(evaluated) });
}

function evaluated(one: (typeof loaded)[number]): Evaluated {
  if (typeof one === 'string') return one;
  const { name, horizonMs } = one.policy;
  return { name, ...(horizonMs === undefined ? {} : { horizonMs }) };
}

async function play({ policies, where, text, inventory }: PlayOrder): Promise<void> {
  try {
    const chosen = policies.map((place) => loaded[place]).filter((one) => typeof one === 'object');
    const findings = await checkSelectors(chosen, inventory);
    const onLine = (line: number): void => report({ kind: 'at', line });
    const result = await playStory({ where, text, inventory, policies: chosen }, { onLine, calls: cell });
    report({ kind: 'played', played: { result, findings } });
  } catch (thrown) {
    report({ kind: 'broken', reason: messageOf(thrown) });
  }
}

takeWorldAway(() => cell.inside);
port.on('message', (order: StageOrder) => void (order.kind === 'load' ? load(order.policies) : play(order)));
