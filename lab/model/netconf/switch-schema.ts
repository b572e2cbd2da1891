// Owns: the part of the data models that a switch of the simulation knows beside a router's: switch ports with port security
// (Cisco-IOS-XE-switch of 17.9) and policies (Cisco-IOS-XE-policy).
import { choice, container, empty, from, hostname, type Inner, leaf, list, nativeNs, port, staticRoutes } from './schema.ts';

export const switchNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-switch';
export const policyNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-policy';
export const portSecurityRpcNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-port-security-rpc';

const vlan = /^([1-9]\d{0,2}|[1-3]\d{3}|40[0-8]\d|409[0-4])$/;
const mac = /^([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}$/;
const sticky = leaf('sticky', /^sticky$/);
const name = leaf('name', /^[\x21-\x7e]{1,40}$/);

const portSecurity = container(
  'port-security-config',
  container(
    'port-security',
    container('mac-address-sticky-on', container('mac-address', leaf('sticky', empty))),
    container(
      'mac-address-config',
      container(
        'mac-address',
        list('hw-address-access', ['hw-address'], leaf('hw-address', mac), sticky),
        list('hw-address-trunk', ['hw-address', 'vlan'], leaf('hw-address', mac), leaf('vlan', vlan), sticky),
      ),
    ),
    list('maxcount', ['max-addresses'], leaf('max-addresses', /^([1-9]\d{0,2}|[1-3]\d{3}|40\d\d)$/)),
    choice('violation', leaf('protect', empty), leaf('restrict', empty), container('shutdown')),
  ),
);
const switchport = container(
  'switchport-config',
  container(
    'switchport',
    from(switchNs, container('access', container('vlan', leaf('vlan', vlan)))),
    from(switchNs, choice('mode', container('access'), container('trunk'))),
    from(switchNs, leaf('port-security-conf', empty)),
    from(switchNs, portSecurity),
  ),
);
const servicePolicy: Inner = from(
  policyNs,
  container('service-policy', leaf('input', /^[\x21-\x7e]{1,40}$/), leaf('output', /^[\x21-\x7e]{1,40}$/)),
);
const classMap = list(
  'class-map',
  ['name'],
  name,
  leaf('prematch', /^match-(any|all)$/),
  container('match', leaf('dscp', /^[a-z0-9]{1,7}$/)),
);
const actionList = list(
  'action-list',
  ['action-type'],
  leaf('action-type', /^(bandwidth|priority)$/),
  container('bandwidth', leaf('percent', /^([1-9]\d?|100)$/)),
  container('priority', leaf('level', /^[12]$/)),
);
const policyMap = list('policy-map', ['name'], name, list('class', ['name'], name, actionList));

export const switchSchema = container(
  'native',
  hostname,
  container('interface', port('GigabitEthernet', switchport, servicePolicy), port('Vlan')),
  container('policy', from(policyNs, classMap), from(policyNs, policyMap)),
  staticRoutes,
)(nativeNs);

const ifType = /^if-(fast-eth|gb-eth|2gb-eth|5gb-eth|appgb-eth|10gb-eth|25gb-eth|40gb-eth|100gb-eth|port-channel)$/;
const ifNameType = (holder: string) => container(holder, leaf('if-type', ifType), leaf('if-name', /^[\x20-\x7e]{1,256}$/));
const boolean = /^(true|false)$/;
const vlanId = /^(0|[1-9]\d{0,2}|[1-3]\d{3}|40[0-8]\d|409[0-4])$/;
const vlanRanges = (holder: string) => list(holder, [], leaf('start-id', vlanId), leaf('end-id', vlanId));

/** The input of clear-port-security, Cisco-IOS-XE-port-security-rpc 2022-03-01; its lists have no keys. */
export const clearPortSecuritySchema = container(
  'clear-port-security',
  leaf('mode', /^md-(all|configured|sticky|dynamic)$/),
  container('intf', ifNameType('if-name-type')),
  container('vlan-access', ifNameType('if-with-access'), leaf('access', boolean)),
  container('vlan-voice', ifNameType('if-with-voice'), leaf('voice', boolean)),
  container('if-vlan-trunk', ifNameType('if-with-trunk'), vlanRanges('vlan-trunk')),
  container('mac-addr', leaf('mac-address', /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/), vlanRanges('vlan')),
  leaf('ps-none', boolean),
)(portSecurityRpcNs);
