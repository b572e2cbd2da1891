import { bgpNetwork, exclusive, fhrp, policy } from 'offbox';

export default policy({
  name: 'hsrp-active-advertises',
  describe: 'The HSRP active gateway, and only it, advertises 23.0.0.0/8.',
  on: fhrp.changed({ gateway: 'lan23' }),
  key: (event) => event.gateway,
  settle: { quiet: '2s', atMost: '6s' },
  resync: '5m',
  ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, '23.0.0.0/8')),
});
