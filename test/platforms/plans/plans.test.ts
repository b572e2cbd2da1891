// Plans applied to a configuration as a router would: what was wanted is then so, nothing is left to do, nothing else moved.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asNumber, bgpInstances, maskLength, prefixOf } from '../../../adapters/platforms/cisco-ios/bgp-config.ts';
import { configuredIn, planLines } from '../../../adapters/platforms/cisco-ios/bgp-network.ts';
import { nativeConfigured, nativeEdit, nativeNetwork } from '../../../adapters/platforms/cisco-iosxe/native.ts';
import { parseXml } from '../../../adapters/platforms/cisco-iosxe/xml.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Command } from '../../../src/ports/actuator.ts';
import { type BgpNetwork, classfulLength, maskOf } from '../../../src/resources/bgp-network.ts';

const target: Target = { platform: 'cisco-ios', address: '192.0.2.1' };
const resourceFor = (prefix: string): BgpNetwork => ({ kind: 'bgp-network', target: 'edge1', prefix, vrf: 'default' });

/** Every way IOS may show one prefix. */
function formsOf(prefix: string): readonly string[] {
  const [address, length] = prefix.split('/') as [string, string];
  const masked = `network ${address} mask ${maskOf(Number(length))}`;
  const classful = classfulLength(address) === Number(length) ? [`network ${address}`] : [];
  return [masked, ...classful].flatMap((form) => [form, `${form} route-map TAG`]);
}

const prefixes = ['23.0.0.0/8', '23.0.0.0/16', '172.16.0.0/16', '192.0.2.0/24', '10.9.0.0/16', '198.51.100.0/25'];

interface Config {
  readonly style: 'classic' | 'families';
  readonly networks: readonly string[];
}

const configs = fc.record({
  style: fc.constantFrom('classic' as const, 'families' as const),
  networks: fc.uniqueArray(fc.constantFrom(...prefixes.flatMap(formsOf)), { maxLength: 5, selector: (line) => prefixOf(line) }),
});

function shown({ style, networks }: Config): string {
  const lines = networks.map((line) => `  ${line}`);
  const family = style === 'classic' ? lines : [' address-family ipv4', ...lines, ' exit-address-family'];
  return ['router bgp 65002', ' neighbor 10.0.2.1 remote-as 65001', ...family].join('\n');
}

/** What a router does with the lines: a network statement is one for its prefix, whatever its form. */
function applied(config: Config, commands: readonly Command[]): Config {
  let networks = [...config.networks];
  for (const command of commands) {
    if (command.kind !== 'configure') throw new Error(`a ${command.kind} is no configuration line`);
    expect(command.lines.slice(0, -1)).toEqual([
      'router bgp 65002',
      ...(config.style === 'classic' ? [] : ['address-family ipv4']),
    ]);
    const line = command.lines.at(-1)!;
    const prefix = prefixOf(line.replace(/^no /, ''));
    networks = networks.filter((each) => prefixOf(each) !== prefix);
    if (!line.startsWith('no ')) networks.push(line);
  }
  return { ...config, networks };
}

function planFor(config: Config, prefix: string, desired: 'present' | 'absent'): readonly Command[] {
  const { as, found, wanted } = configuredIn(shown(config), resourceFor(prefix), target);
  const state = { as, configured: found.length > 0, inTable: false, advertised: {}, found, wanted };
  return planLines(state, resourceFor(prefix), desired);
}

test('a plan applied leaves nothing to plan, and every other network as it was', () => {
  fc.assert(
    fc.property(
      configs,
      fc.constantFrom(...prefixes),
      fc.constantFrom('present' as const, 'absent' as const),
      (config, prefix, desired) => {
        const after = applied(config, planFor(config, prefix, desired));
        expect(planFor(after, prefix, desired)).toEqual([]);
        expect(after.networks.some((line) => prefixOf(line) === prefix)).toBe(desired === 'present');
        const others = ({ networks }: Config) => networks.filter((line) => prefixOf(line) !== prefix);
        expect(others(after)).toEqual(others(config));
      },
    ),
  );
});

test('what is already so is planned as nothing, route-map and classful form included', () => {
  for (const prefix of prefixes) {
    for (const form of formsOf(prefix)) expect(planFor({ style: 'families', networks: [form] }, prefix, 'present')).toEqual([]);
  }
});

test('a statement at the router and one in the family are both withdrawn', () => {
  const config =
    'router bgp 65002\n network 23.0.0.0\n address-family ipv4\n  network 23.0.0.0 mask 255.0.0.0\n exit-address-family';
  const { as, found, wanted } = configuredIn(config, resourceFor('23.0.0.0/8'), target);
  const plan = planLines(
    { as, configured: true, inTable: true, advertised: {}, found, wanted },
    resourceFor('23.0.0.0/8'),
    'absent',
  );
  expect(plan).toEqual([
    { kind: 'configure', lines: ['router bgp 65002', 'no network 23.0.0.0'] },
    { kind: 'configure', lines: ['router bgp 65002', 'address-family ipv4', 'no network 23.0.0.0 mask 255.0.0.0'] },
  ]);
});

test.each(['default', 'BLUE'])('an IOS-XE edit in VRF %s is read back as what was wanted', (vrf) => {
  for (const prefix of prefixes) {
    const config = nativeEdit('1.10', vrf, [nativeNetwork(prefix)], 'merge');
    const read = nativeConfigured(parseXml(config), { ...resourceFor(prefix), vrf }, target);
    expect(read).toEqual({ as: 65_546, id: '1.10', found: [nativeNetwork(prefix)], neighbors: [] });
  }
});

test('the classful mask is never sent to IOS-XE, which refuses it', () => {
  for (const prefix of prefixes) {
    const { list, number, mask } = nativeNetwork(prefix);
    expect(list === 'with-mask').toBe(classfulLength(number) !== maskLength(mask ?? maskOf(classfulLength(number))));
  }
});

test.each([
  ['65001', 65_001],
  ['4294967295', 4_294_967_295],
  ['1.10', 65_546],
  ['65535.65535', 4_294_967_295],
  ['0', undefined],
  ['4294967296', undefined],
  ['AS1', undefined],
])('the AS %s is read as %s', (written, as) => {
  expect(asNumber(written)).toBe(as);
});

test.each([
  ['255.0.0.0', 8],
  ['255.255.255.255', 32],
  ['0.0.0.0', 0],
  ['255.255.254.0', 23],
  ['255.0.255.0', undefined],
  ['255.0.0', undefined],
  ['256.0.0.0', undefined],
])('the mask %s is as long as %s', (mask, length) => {
  expect(maskLength(mask)).toBe(length);
});

test('other sections of a whole running-config are none of BGP’s', () => {
  const config =
    'hostname a\nrouter ospf 1\n network 23.0.0.0 0.255.255.255 area 0\nrouter bgp 65002\n network 10.9.0.0 mask 255.255.0.0\n!\nip route 0.0.0.0 0.0.0.0 Null0\nrouter eigrp 1\n network 23.0.0.0\n';
  expect(bgpInstances(config).flatMap(({ families }) => families.flatMap(({ networks }) => networks))).toEqual([
    'network 10.9.0.0 mask 255.255.0.0',
  ]);
});

test('hostile configurations are read in linear time', () => {
  for (const line of [
    'router bgp 1\n',
    ' neighbor 1.1.1.1 activate\n',
    ' address-family ipv4\n',
    ' network 23.0.0.0\n',
    'router bgp '.repeat(3),
  ]) {
    bgpInstances(`router bgp 1\n${line.repeat(100_000)}`);
  }
});
