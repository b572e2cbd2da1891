import { policy, violationMode, vm } from 'offbox';

export default policy({
  name: 'migration-requested-relaxes-port-security',
  describe: "Where the request allows it (allow: ['relax']), violations do not shut the VM's ports down while it migrates.",
  on: vm.migrationRequested(),
  until: vm.migrationEnded(),
  atMost: '30m',
  lingers: '10s', // the port that it left is to forget its address first
  replace: true,
  hold: ({ from, to, allow }, { inventory }) =>
    allow?.includes('relax')
      ? [from, to].flatMap((host) => inventory.switchPortsOf(host)).map((port) => violationMode(port, 'restrict'))
      : [],
});
