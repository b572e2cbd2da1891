// A process of its own that takes the lease, says its epoch and holds it until it is killed or told to let go.
import { soloLease } from '../../adapters/lease-solo/index.ts';

const lease = await soloLease({ directory: process.argv[2]!, describe: () => 'the first' }).acquire();
process.stdout.write(`${lease.epoch}\n`);
process.stdin.once('data', () => {
  void lease.release().then(() => process.stdout.write('released\n'));
});
