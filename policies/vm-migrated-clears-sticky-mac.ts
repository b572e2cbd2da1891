import { macTableEntry, policy, stickyMac, vm } from 'offbox';

export default policy({
  name: 'vm-migrated-clears-sticky-mac',
  describe: 'A VM that has moved is forgotten by the port it left, and seen at the one it came to.',
  on: vm.migrated(),
  // Nobody says again that it moved. A switch in repair over night is back within a day, and where the VM is is read then.
  validFor: '24h',
  ensure: ({ from, to, nics, offline }, { inventory }) =>
    nics.flatMap(({ mac, vlan }) => {
      // Nothing says its VLAN: it is one of the port's.
      const left = inventory.portsOf(from, vlan === undefined ? [] : [vlan]);
      // A VM that is off is seen nowhere; one in some VLAN or other is looked for in none.
      const expected = offline || left.length !== 1 ? [] : inventory.portsOf(to, [left[0]!.vlan]);
      const arrived = expected.map((port) => macTableEntry(port, mac));
      return [
        // Its sticky address first: while the port secures it, its row of the MAC table is static.
        ...left.flatMap((port) => [
          stickyMac(port, mac).absent({ stays: '5s', unless: arrived[0] }),
          macTableEntry(port, mac).absent(),
        ]),
        ...arrived,
      ];
    }),
});
