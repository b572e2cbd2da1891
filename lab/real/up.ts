// Owns: the lab by hand: `sudo node bin/run.js lab/real/up.ts` brings it up, says how to look into it, and keeps it until Ctrl-C.
import { once } from 'node:events';
import { realNetwork } from './network.ts';
import { nodeNames } from './plan.ts';

const network = await realNetwork();
const enter = nodeNames.map((name) => `  ${name.padEnd(4)} nsenter -t ${network.pidOf(name)} -m -u -n -p`);
console.log(`The lab is up; ${network.folder.path} has its files. Into a node:\n${enter.join('\n')}\nCtrl-C ends it.`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await network.down();
