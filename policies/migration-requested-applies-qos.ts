import { policy, servicePolicy, vm } from 'offbox';

export default policy({
  name: 'migration-requested-applies-qos',
  describe: 'While a VM migrates, LIVE-MIGRATION is applied on its path; however it ends, what was there before is back.',
  on: [vm.migrationRequested(), vm.migrationStarted()],
  until: vm.migrationEnded(),
  atMost: '30m', // nobody said that it is over: it is read, and while it runs the hold goes on
  replace: true, // what is attached otherwise gives way meanwhile
  hold: ({ from, to }, { inventory }) =>
    inventory.pathBetween(from, to).map((port) => servicePolicy(port, 'output', 'LIVE-MIGRATION')),
});
