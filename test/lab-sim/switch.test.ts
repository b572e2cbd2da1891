// The access switches without sockets, in virtual time: what they do with frames, and transcripts of whole sessions.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { build, db, operator, port1, port2, session, web } from './switch-session.ts';

describe('learning', () => {
  test('a frame makes a sticky line, which stays when its MAC falls silent, and is lost to a reload until it is saved', async () => {
    const { wall, fabric, sticky, writes } = build();
    expect(fabric.frame('kvm1', web, 10)).toBe('forwarded');
    expect(sticky('acc-1')).toEqual(['5254.00aa.bb02']);
    expect(writes).toEqual([
      expect.objectContaining({
        device: 'acc-1',
        transport: 'device',
        path: [`interface ${port1}`],
        line: 'switchport port-security mac-address sticky 5254.00aa.bb02',
        changed: true,
      }),
    ]);
    await wall.advance(3_600_000);
    expect(sticky('acc-1')).toEqual(['5254.00aa.bb02']);
    const acc = fabric.switches['acc-1'];
    acc.powerOff();
    acc.boot();
    expect(sticky('acc-1')).toEqual([]);
  });

  test('the MAC table ages after five silent minutes, and forgets a port whose link goes down', async () => {
    const { wall, fabric, set } = build();
    set('acc-1', port1, 'description open');
    fabric.switches['acc-1'].configure(
      { kind: 'unset', path: [`interface ${port1}`], matches: /^switchport port-security$/ },
      'no switchport port-security',
      operator,
    );
    fabric.frame('kvm1', web, 10);
    expect(fabric.towards('acc-1', web, 10)).toBe(port1);
    expect(fabric.towards('acc-2', web, 10)).toBe('nve1.VNI10010');
    await wall.advance(299_999);
    expect(fabric.towards('acc-1', web, 10)).toBe(port1);
    await wall.advance(1);
    expect(fabric.towards('acc-1', web, 10)).toBe('flood');
    fabric.frame('kvm1', web, 10);
    fabric.switches['acc-1'].setLink(port1, 'down');
    expect(fabric.towards('acc-1', web, 10)).toBe('flood');
    expect(fabric.frame('kvm1', web, 10)).toBe('dropped');
  });

  test('a guest in a VLAN that the port does not carry is not heard', () => {
    const { fabric, sticky } = build();
    expect(fabric.frame('kvm1', web, 20)).toBe('dropped');
    expect(sticky('acc-1')).toEqual([]);
    expect(fabric.frameAt({ switch: 'acc-1', port: port2 }, web, 20)).toBe('forwarded');
    expect(fabric.frameAt({ switch: 'acc-1', port: 'GigabitEthernet1/0/24' }, web, 10)).toBe('dropped');
  });
});

describe('a guest that moves to the other switch', () => {
  test('is pinned to its old port at the old switch until its sticky address is cleared; the next frame then moves it', () => {
    const { fabric } = build();
    fabric.frame('kvm1', web, 10);
    expect(fabric.towards('acc-2', web, 10)).toBe('nve1.VNI10010');
    fabric.frame('kvm2', web, 10);
    expect(fabric.towards('acc-2', web, 10)).toBe(port1);
    expect(fabric.towards('acc-1', web, 10)).toBe(port1);
    fabric.switches['acc-1'].clearSecure({ type: 'sticky', mac: web }, 'clear', operator);
    // The learned row outlives the secure one.
    expect(fabric.switches['acc-1'].macRows({ mac: web })).toEqual([{ vlan: 10, mac: web, port: port1, type: 'dynamic' }]);
    fabric.frame('kvm2', web, 10);
    expect(fabric.towards('acc-1', web, 10)).toBe('nve1.VNI10010');
  });

  test('is learned again within a frame where it was cleared too early', () => {
    const { fabric, sticky } = build();
    fabric.frame('kvm1', web, 10);
    fabric.switches['acc-1'].clearSecure({ type: 'sticky', mac: web }, 'clear', operator);
    expect(sticky('acc-1')).toEqual([]);
    fabric.frame('kvm1', web, 10);
    expect(sticky('acc-1')).toEqual(['5254.00aa.bb02']);
  });

  test('is heard by nobody beyond a cut uplink', () => {
    const { fabric } = build();
    fabric.switches['acc-1'].setLink('GigabitEthernet1/0/24', 'down');
    fabric.frame('kvm1', web, 10);
    expect(fabric.towards('acc-2', web, 10)).toBe('flood');
  });
});

describe('a violation', () => {
  const violate = (lab: ReturnType<typeof build>) => {
    lab.fabric.frame('kvm1', web, 10);
    return lab.fabric.frameAt({ switch: 'acc-1', port: port2 }, web, 10);
  };

  test('shuts the port down where nothing else is said, in the words of a Catalyst', () => {
    const lab = build();
    expect(violate(lab)).toBe('dropped');
    expect(lab.said).toEqual([
      'acc-1 %PM-4-ERR_DISABLE: psecure-violation error detected on Gi1/0/2, putting Gi1/0/2 in err-disable state',
      'acc-1 %PORT_SECURITY-2-PSECURE_VIOLATION: Security violation occurred, caused by MAC address 5254.00aa.bb02 on port GigabitEthernet1/0/2.',
      'acc-1 %LINK-3-UPDOWN: Interface GigabitEthernet1/0/2, changed state to down',
      'acc-1 %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1/0/2, changed state to down',
    ]);
    // Loopback0 is interface 1 of the configuration; cause 9 is portSecurityViolation.
    expect(lab.traps[0]).toBe('acc-1 1.3.6.1.4.1.9.9.548.0.2 1.3.6.1.4.1.9.9.548.1.3.1.1.2.3.0=9');
    expect(lab.fabric.frameAt({ switch: 'acc-1', port: port2 }, db, 10)).toBe('dropped');
  });

  test('is counted and told, and drops just the frame, where it says restrict', () => {
    const lab = build();
    lab.set('acc-1', port2, 'switchport port-security violation restrict');
    expect(violate(lab)).toBe('dropped');
    expect(lab.said).toEqual([
      'acc-1 %PORT_SECURITY-2-PSECURE_VIOLATION: Security violation occurred, caused by MAC address 5254.00aa.bb02 on port GigabitEthernet1/0/2.',
    ]);
    expect(lab.traps).toEqual([
      'acc-1 1.3.6.1.4.1.9.9.315.0.0.1 1.3.6.1.2.1.2.2.1.1.3=3 1.3.6.1.2.1.31.1.1.1.1.3=Gi1/0/2 1.3.6.1.4.1.9.9.315.1.2.1.1.10.3=82,84,0,170,187,2',
    ]);
    expect(lab.fabric.switches['acc-1'].security.violations(port2)).toBe(1);
    expect(lab.fabric.frameAt({ switch: 'acc-1', port: port2 }, db, 10)).toBe('forwarded');
  });

  test('is silent and not counted where it says protect', () => {
    const lab = build();
    lab.set('acc-1', port2, 'switchport port-security violation protect');
    expect(violate(lab)).toBe('dropped');
    expect(lab.said).toEqual([]);
    expect(lab.fabric.switches['acc-1'].security.violations(port2)).toBe(0);
  });

  test('is one address more than the maximum, too', () => {
    const { fabric, said } = build();
    for (let i = 1; i <= 4; i++) expect(fabric.frame('kvm1', `52:54:00:00:00:0${i}`, 10)).toBe('forwarded');
    expect(fabric.frame('kvm1', '52:54:00:00:00:05', 10)).toBe('dropped');
    expect(said[0]).toContain('%PM-4-ERR_DISABLE');
  });

  test('keeps the port down until shutdown and no shutdown, or until it recovers by itself', async () => {
    const lab = build();
    const acc = lab.fabric.switches['acc-1'];
    violate(lab);
    lab.set('acc-1', port2, 'shutdown');
    acc.configure({ kind: 'unset', path: [`interface ${port2}`], matches: /^shutdown$/ }, 'no shutdown', operator);
    expect(acc.isUp(port2)).toBe(true);

    const recovery = 'errdisable recovery cause psecure-violation';
    acc.configure({ kind: 'set', path: [], line: recovery }, recovery, operator);
    lab.fabric.frameAt({ switch: 'acc-1', port: port2 }, web, 10);
    await lab.wall.advance(299_999);
    expect(acc.isUp(port2)).toBe(false);
    lab.said.length = 0;
    await lab.wall.advance(1);
    expect(acc.isUp(port2)).toBe(true);
    expect(lab.said[0]).toBe(
      'acc-1 %PM-4-ERR_RECOVER: Attempting to recover from psecure-violation err-disable state on Gi1/0/2',
    );
  });
});

describe('sticky learning turned off and on', () => {
  test('takes the lines and keeps the addresses, then makes lines of them again', async () => {
    const cli = await session('acc-1');
    cli.fabric.frame('kvm1', web, 10);
    cli.fabric.frame('kvm1', db, 10);
    await cli.ask('configure terminal');
    await cli.ask('interface gi1/0/1');
    await cli.ask('no switchport port-security mac-address sticky');
    expect(await cli.ask('do show port-security address')).toMatch(/SecureDynamic[\s\S]*SecureDynamic/);
    expect(await cli.ask('do show running-config interface gi1/0/1')).not.toContain('sticky');
    await cli.ask('switchport port-security mac-address sticky');
    expect(await cli.ask('do show port-security address')).toMatch(/SecureSticky[\s\S]*SecureSticky/);
    expect(cli.sticky('acc-1')).toEqual(['5254.00aa.bb02', '5254.00aa.bb03']);
  });
});

test('a MAC that goes back and forth between ports within seconds is told as flapping', () => {
  const { fabric, said } = build();
  for (const port of [port1, port2])
    fabric.switches['acc-1'].configure(
      { kind: 'unset', path: [`interface ${port}`], matches: /^switchport port-security$/ },
      'no switchport port-security',
      operator,
    );
  const at = (port: string) => fabric.frameAt({ switch: 'acc-1', port }, web, 10);
  at(port1);
  at(port2);
  expect(said).toEqual([]);
  at(port1);
  expect(said).toEqual([
    'acc-1 %SW_MATM-4-MACFLAP_NOTIF: Host 5254.00aa.bb02 in vlan 10 is flapping between port Gi1/0/2 and port Gi1/0/1',
  ]);
});

describe('transcripts', () => {
  const cases: Readonly<Record<string, { readonly on: 'acc-1' | 'acc-2'; readonly lines: readonly string[] }>> = {
    'switch-port-security': {
      on: 'acc-1',
      lines: [
        'show port-security',
        'show port-security interface gi1/0/1',
        'show port-security address',
        'show mac address-table',
        'show mac address-table address 5254.00aa.bb02',
        'show running-config interface GigabitEthernet1/0/1',
        'show interfaces gi1/0/1 switchport',
        'show interfaces status',
        'clear port-security sticky address 5254.00aa.bb02 vlan 10',
        'show port-security address',
        'show mac address-table',
        'clear mac address-table dynamic address 5254.00aa.bb02',
        'show mac address-table dynamic',
        'clear port-security sticky interface gi1/0/1',
        'show port-security interface gi1/0/1',
      ],
    },
    'switch-policies': {
      on: 'acc-2',
      lines: [
        'show class-map',
        'show policy-map',
        'show policy-map LIVE-MIGRATION',
        'show policy-map interface gi1/0/24 output',
        'configure terminal',
        'interface GigabitEthernet1/0/24',
        'service-policy output LIVE-MIGRATION',
        'no service-policy output EDGE-DEFAULT',
        'service-policy output LIVE-MIGRATION',
        'end',
        'show policy-map interface GigabitEthernet1/0/24',
        'show running-config interface gi1/0/24',
        'show running-config | section ^policy-map',
      ],
    },
    'switch-forwarding': {
      on: 'acc-2',
      lines: [
        'show version',
        'show nve vni',
        'show ip route 10.255.0.5',
        'show ip cef 10.255.0.5',
        'show ip route 10.0.56.1',
        'show ip cef 192.0.2.1',
        'show running-config | section ^interface nve',
        'show running-config',
      ],
    },
    'switch-refusals': {
      on: 'acc-1',
      lines: [
        'configure terminal',
        'interface gi1/0/3',
        'switchport port-security',
        'service-policy output NOBODY',
        'interface gi1/0/1',
        'switchport port-security maximum 1',
        'switchport port-security mac-address sticky 5254.00aa.bb09 vlan 5000',
        'interface gi1/0/2',
        'switchport port-security mac-address sticky 5254.00aa.bb02 vlan 10',
        'no switchport port-security mac-address sticky 5254.00aa.bb99 vlan 10',
        'interface gi1/0/1',
        'no switchport port-security mac-address sticky 5254.00aa.bb02',
        'switchport port-security violation restrict',
        'do show running-config interface gi1/0/1',
        'policy-map X',
        'class NONE',
        'class MIGRATION',
        'priority level 1',
        'end',
        'clear port-security sticky address nonsense',
      ],
    },
  };
  for (const [name, { on, lines }] of Object.entries(cases))
    test(`${name} reads as on the device`, async () => {
      const cli = await session(on);
      cli.fabric.frame('kvm1', web, 10);
      cli.fabric.frame('kvm1', db, 10);
      for (const line of lines) await cli.ask(line);
      await expect(cli.screen()).toMatchFileSnapshot(`transcripts/${name}.txt`);
    });
});

test('what is cleared is in the log before it is gone, changed or not', async () => {
  const cli = await session('acc-1');
  cli.fabric.frame('kvm1', web, 10);
  cli.writes.length = 0;
  await cli.ask('clear port-sec sticky add 5254.00AA.bb02');
  await cli.ask('clear port-security sticky address 5254.00aa.bb02');
  await cli.ask('clear mac address-table dynamic address 5254.00aa.bb02');
  expect(cli.writes.map(({ path, line, changed, transport }) => [path, line, changed, transport])).toEqual([
    [[], 'clear port-security sticky address 5254.00aa.bb02', true, 'cli'],
    [[], 'clear port-security sticky address 5254.00aa.bb02', false, 'cli'],
    [[], 'clear mac address-table dynamic address 5254.00aa.bb02', true, 'cli'],
  ]);
});

test('whatever frames and commands come, an address is secure on one port of a VLAN, and no port has more than its maximum', () => {
  const macs = [web, db, '52:54:00:00:00:01', '52:54:00:00:00:02', '52:54:00:00:00:03', '52:54:00:00:00:04'];
  const step = fc.oneof(
    fc.record({ kind: fc.constant('frame' as const), port: fc.constantFrom(port1, port2), mac: fc.constantFrom(...macs) }),
    fc.record({ kind: fc.constant('clear' as const), mac: fc.constantFrom(...macs) }),
    fc.record({
      kind: fc.constant('mode' as const),
      port: fc.constantFrom(port1, port2),
      mode: fc.constantFrom('restrict', 'protect'),
    }),
    fc.record({ kind: fc.constant('sticky' as const), port: fc.constantFrom(port1, port2), to: fc.constantFrom('set', 'unset') }),
    fc.record({ kind: fc.constant('link' as const), port: fc.constantFrom(port1, port2), to: fc.constantFrom('up', 'down') }),
    fc.record({ kind: fc.constant('cycle' as const), port: fc.constantFrom(port1, port2) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { fabric, set } = build();
      const acc = fabric.switches['acc-1'];
      const unset = (port: string, matches: RegExp) =>
        acc.configure({ kind: 'unset', path: [`interface ${port}`], matches }, 'no', operator);
      for (const each of steps) {
        if (each.kind === 'frame') fabric.frameAt({ switch: 'acc-1', port: each.port }, each.mac, 10);
        else if (each.kind === 'clear') acc.clearSecure({ mac: each.mac }, 'clear', operator);
        else if (each.kind === 'mode')
          set('acc-1', each.port, `switchport port-security violation ${each.mode}`, /^switchport port-security violation/);
        else if (each.kind === 'link') acc.setLink(each.port, each.to as 'up' | 'down');
        else if (each.kind === 'sticky' && each.to === 'set')
          set('acc-1', each.port, 'switchport port-security mac-address sticky');
        else if (each.kind === 'sticky') unset(each.port, /^switchport port-security mac-address sticky$/);
        else {
          set('acc-1', each.port, 'shutdown');
          unset(each.port, /^shutdown$/);
        }
        const rows = acc.secureRows();
        expect(new Set(rows.map(({ mac, vlan }) => `${mac} ${vlan}`)).size).toBe(rows.length);
        for (const { name, security } of acc.ports().filter((port) => port.security.enabled)) {
          expect(rows.filter(({ port }) => port === name).length).toBeLessThanOrEqual(security.maximum);
          expect(security.sticky || security.addresses.length === 0).toBe(true);
        }
      }
    }),
    { numRuns: 150 },
  );
});
