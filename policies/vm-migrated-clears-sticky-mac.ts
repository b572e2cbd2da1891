import { macTableEntry, policy, stickyMac, vm } from 'offbox';

export default policy({
  name: 'vm-migrated-clears-sticky-mac',
  describe: 'A VM that has moved is forgotten by the port it left, and seen at the one it came to.',
  on: vm.migrated(),
  ensure: ({ from, to, macs, vlans, offline }, { inventory }) =>
    inventory.portsOf(from, vlans).flatMap((port) =>
      macs.flatMap((mac) => {
        // A VM that is off is seen nowhere.
        const arrived = offline ? [] : inventory.portsOf(to, [port.vlan]).map((there) => macTableEntry(there, mac));
        return [
          // Its sticky address first: while the port secures it, its row of the MAC table is static.
          stickyMac(port, mac).absent({ stays: '5s', unless: arrived[0] }),
          macTableEntry(port, mac).absent(),
          ...arrived,
        ];
      }),
    ),
});
