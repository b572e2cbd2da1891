// Owns: the part of the device's data models that the simulation knows: a few branches of Cisco-IOS-XE-native and -bgp. What
// is not here is answered as unknown, as by a device with another release.

export const nativeNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-native';
export const bgpNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-bgp';
export const hsrpNs = 'http://cisco.com/ns/yang/Cisco-IOS-XE-hsrp-oper';

export type SchemaNode =
  | {
      readonly kind: 'container';
      readonly name: string;
      readonly ns: string;
      readonly children: readonly SchemaNode[];
      /** `one`: its children are the cases of a choice, of which the last one set stays. */
      readonly cases?: 'one';
    }
  | {
      readonly kind: 'list';
      readonly name: string;
      readonly ns: string;
      readonly keys: readonly string[];
      readonly children: readonly SchemaNode[];
    }
  | { readonly kind: 'leaf'; readonly name: string; readonly ns: string; readonly type: RegExp };

export type Inner = (ns: string) => SchemaNode;

export const container =
  (name: string, ...children: readonly Inner[]): Inner =>
  (ns) => ({ kind: 'container', name, ns, children: children.map((child) => child(ns)) });
export const list =
  (name: string, keys: readonly string[], ...children: readonly Inner[]): Inner =>
  (ns) => ({ kind: 'list', name, ns, keys, children: children.map((child) => child(ns)) });
export const leaf =
  (name: string, type: RegExp): Inner =>
  (ns) => ({ kind: 'leaf', name, ns, type });
/** A container whose children are the cases of a choice. */
export const choice =
  (name: string, ...children: readonly Inner[]): Inner =>
  (ns) => ({ kind: 'container', name, ns, children: children.map((child) => child(ns)), cases: 'one' });
/** A node that another module puts into this place: its namespace is its own. */
export const from =
  (ns: string, inner: Inner): Inner =>
  () =>
    inner(ns);

const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)';
export const address = new RegExp(`^${octet}(\\.${octet}){3}$`);
const text = /^[\x20-\x7e]{1,200}$/;
export const empty = /^$/;
const boolean = /^(true|false)$/;
const number = /^\d{1,10}$/;

const networks = container(
  'network',
  list('with-mask', ['number', 'mask'], leaf('number', address), leaf('mask', address)),
  list('no-mask', ['number'], leaf('number', address)),
);
const ipv4Unicast = container('ipv4-unicast', list('neighbor', ['id'], leaf('id', address), leaf('activate', empty)), networks);
const bgp = list(
  'bgp',
  ['id'],
  leaf('id', number),
  container('bgp', leaf('log-neighbor-changes', boolean)),
  list('neighbor', ['id'], leaf('id', address), leaf('remote-as', number)),
  container('address-family', container('no-vrf', list('ipv4', ['af-name'], leaf('af-name', /^unicast$/), ipv4Unicast))),
);
/** `more`: what the device's other modules put into it. */
export const port = (name: string, ...more: readonly Inner[]) =>
  list(
    name,
    ['name'],
    leaf('name', /^\d+(\/\d+)*$/),
    leaf('description', text),
    leaf('shutdown', empty),
    container('ip', container('address', container('primary', leaf('address', address), leaf('mask', address)))),
    ...more,
  );

export const hostname = leaf('hostname', /^[A-Za-z][A-Za-z0-9_-]{0,62}$/);
export const staticRoutes = container(
  'ip',
  container(
    'route',
    list(
      'ip-route-interface-forwarding-list',
      ['prefix', 'mask'],
      leaf('prefix', address),
      leaf('mask', address),
      list('fwd-list', ['fwd'], leaf('fwd', /^(Null0|[\d.]{7,15})$/)),
    ),
  ),
);

/** A router's. */
export const nativeSchema = container(
  'native',
  hostname,
  container('router', from(bgpNs, bgp)),
  container('interface', port('GigabitEthernet'), port('Vlan')),
  staticRoutes,
)(nativeNs);

export function schemaChild(parent: SchemaNode, name: string, ns: string): SchemaNode | undefined {
  return parent.kind === 'leaf' ? undefined : parent.children.find((child) => child.name === name && child.ns === ns);
}
