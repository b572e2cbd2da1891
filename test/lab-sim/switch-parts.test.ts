// The access switches, fed with what nobody means: typed text, operations, configurations.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChange, type Config, parseConfig, renderConfig } from '../../lab/model/config.ts';
import { changesBetween } from '../../lab/model/netconf/native.ts';
import { Refusal } from '../../lab/model/netconf/rpc-error.ts';
import { switchModels } from '../../lab/model/netconf/switch-models.ts';
import { switchData, switchLines } from '../../lab/model/netconf/switch-native.ts';
import { readXml } from '../../lab/model/netconf/xml.ts';
import { build, db, operator, session, web } from './switch-session.ts';

test('whatever is typed, a byte at a time or at once, gives the same screen and never throws', async () => {
  const words = [
    'show port-security',
    'show mac address-table',
    'clear port-security sticky',
    ' address 5254.00aa.bb02',
    ' interface gi1/0/1',
    ' vlan 10',
    'conf t',
    'interface gi1/0/2',
    'switchport port-security',
    ' mac-address sticky',
    ' maximum 2',
    'no ',
    'service-policy output EDGE-DEFAULT',
    'policy-map',
    'class-map match-any X',
    'match dscp cs4',
    'class MIGRATION',
    '\r',
    '?',
    ' ',
    'end',
    '\x1a',
    '$&',
    '(',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 5 })), { maxLength: 30 }),
      async (parts) => {
        const text = `${parts.join('')}\r`;
        const [whole, pieces] = [await session('acc-1'), await session('acc-1')];
        for (const { fabric } of [whole, pieces]) fabric.frame('kvm1', web, 10);
        whole.shell.input(text);
        for (const char of text) pieces.shell.input(char);
        for (const { wall } of [whole, pieces]) await wall.advance(1_000);
        expect(pieces.screen()).toBe(whole.screen());
      },
    ),
    { numRuns: 60 },
  );
});

describe('the two faces of the configuration', () => {
  const address = fc
    .tuple(fc.constantFrom('sticky ', ''), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 4094 }))
    .map(([type, last, vlan]) => ({ type, mac: `5254.0000.00${last.toString(16).padStart(2, '0')}`, vlan }));
  const config = fc
    .record({
      mode: fc.constantFrom('access', 'trunk'),
      vlan: fc.integer({ min: 1, max: 4094 }),
      maximum: fc.integer({ min: 1, max: 4097 }),
      violation: fc.constantFrom('', 'restrict', 'protect'),
      addresses: fc.uniqueArray(address, { selector: ({ mac }) => mac, maxLength: 5 }),
      enabled: fc.boolean(),
      output: fc.constantFrom('', 'LIVE-MIGRATION', 'EDGE-DEFAULT'),
      share: fc.integer({ min: 1, max: 100 }),
    })
    .map(({ mode, vlan, maximum, violation, addresses, enabled, output, share }) => {
      const start = ' switchport port-security';
      const port = [
        vlan === 1 ? '' : ` switchport access vlan ${vlan}`,
        ` switchport mode ${mode}`,
        maximum === 1 ? '' : `${start} maximum ${maximum}`,
        violation && `${start} violation ${violation}`,
        `${start} mac-address sticky`,
        ...addresses.map((each) => `${start} mac-address ${each.type}${each.mac}${mode === 'trunk' ? ` vlan ${each.vlan}` : ''}`),
        enabled ? start : '',
        output && ` service-policy output ${output}`,
      ];
      const lines = port.filter((line) => line !== '').join('\n');
      return parseConfig(`hostname x
class-map match-any MIGRATION
 match dscp cs4
policy-map LIVE-MIGRATION
 class MIGRATION
  bandwidth percent ${share}
policy-map EDGE-DEFAULT
 class class-default
  priority level 1
interface GigabitEthernet1/0/1
${lines}
ip route 10.0.0.0 255.0.0.0 Null0
`);
    });

  test('what is read as data makes the same configuration, and nothing of it asks for a line', () => {
    fc.assert(
      fc.property(config, (parsed) => {
        const lines = switchLines(switchData(parsed));
        expect(changesBetween(lines, switchLines(switchData(parsed)))).toEqual([]);
        const built = changesBetween([], lines).reduce<Config>((held, { change }) => applyChange(held, change), []);
        expect(renderConfig(parseConfig(renderConfig(built)))).toBe(renderConfig(parsed));
      }),
      { numRuns: 200 },
    );
  });

  test('the lines between two configurations lead from the one to the other', () => {
    fc.assert(
      fc.property(config, config, (before, after) => {
        const changes = changesBetween(switchLines(switchData(before)), switchLines(switchData(after)));
        const reached = changes.reduce<Config>((held, { change }) => applyChange(held, change), before);
        const sorted = (each: Config) =>
          [...switchLines(switchData(each))].map(({ path, line }) => [...path, line].join(' ')).sort();
        expect(sorted(reached)).toEqual(sorted(after));
      }),
      { numRuns: 200 },
    );
  });
});

test('whatever clear-port-security holds, it is refused or takes no more than what it names', () => {
  const text = fc.oneof(
    fc.constantFrom('md-sticky', 'md-all', web, db, 'if-gb-eth', '1/0/1', '10', '0', '4094', 'true', ''),
    fc.stringMatching(/^[a-z0-9:./-]{0,12}$/),
  );
  const names = [
    'mode',
    'intf',
    'if-name-type',
    'if-type',
    'if-name',
    'mac-addr',
    'mac-address',
    'vlan',
    'start-id',
    'if-vlan-trunk',
  ];
  const { element } = fc.letrec<{ element: string; inner: string }>((tie) => ({
    element: fc.tuple(fc.constantFrom(...names), tie('inner')).map(([name, inner]) => `<${name}>${inner}</${name}>`),
    inner: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.array(tie('element'), { maxLength: 4 }).map((parts) => parts.join('')),
    ),
  }));
  fc.assert(
    fc.property(fc.array(element, { maxLength: 4 }), (parts) => {
      const { fabric } = build();
      for (const mac of [web, db]) fabric.frame('kvm2', mac, 10);
      const [action] = switchModels(fabric.switches['acc-2']).actions;
      const xml = `<clear-port-security xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-port-security-rpc"><mode>md-sticky</mode>${parts.join('')}</clear-port-security>`;
      try {
        action!.run(readXml(xml), operator);
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
        expect(fabric.switches['acc-2'].secureRows()).toHaveLength(2);
        return;
      }
      const left = fabric.switches['acc-2'].secureRows().map(({ mac }) => mac);
      if (xml.includes('<mac-addr>')) for (const mac of [web, db]) if (!xml.includes(mac)) expect(left).toContain(mac);
    }),
    { numRuns: 300 },
  );
});
