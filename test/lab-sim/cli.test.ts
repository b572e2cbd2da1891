// The command line without sockets, in virtual time: transcripts of whole sessions, and what hostile typing does.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labAddresses } from '../../lab/model/addresses.ts';
import type { ConfigWrite } from '../../lab/model/chassis.ts';
import { routerCommands } from '../../lab/model/cli/exec-commands.ts';
import { Shell } from '../../lab/model/cli/shell.ts';
import { createNetwork, defaultTimers } from '../../lab/model/network.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const enablePassword = 'open-sesame';

function session(name: 'gw-a' | 'gw-b' | 'ext' = 'gw-a') {
  const wall = new VirtualWall(Date.UTC(2026, 10, 23, 3, 31, 9, 857));
  const writes: ConfigWrite[] = [];
  const said: string[] = [];
  const network = createNetwork({
    wall,
    timers: defaultTimers,
    addresses: labAddresses(23),
    emit: (_, event) => {
      if (event.kind === 'syslog') said.push(event.line);
    },
    log: (write) => writes.push(write),
    changed: () => {},
  });
  let screen = '';
  let closed = false;
  const vtys = () => [{ line: 0, user: 'offbox', from: '127.23.0.1' }];
  const context = { device: network.devices[name], bgp: network.bgp, wall, vtys, vty: 0 };
  const shell = new Shell({
    context,
    commands: routerCommands(context),
    operator: { user: 'offbox', peer: '127.23.0.1:40112', transport: 'cli' },
    wall,
    enablePassword,
    answerMs: () => 10,
    write: (text) => {
      screen += text;
    },
    close: () => {
      closed = true;
    },
  });
  shell.start();
  return {
    wall,
    network,
    writes,
    said,
    shell,
    /** Types, lets the device answer, and returns what the screen got meanwhile. */
    async type(text: string, ms = 10) {
      const before = screen.length;
      shell.input(text);
      await wall.advance(ms);
      return screen.slice(before);
    },
    screen: () => screen,
    closed: () => closed,
  };
}

/** Logged in, enabled, unpaged. */
async function privileged(name?: 'gw-a' | 'gw-b' | 'ext') {
  const cli = session(name);
  await cli.type('enable\r');
  await cli.type(`${enablePassword}\r`);
  await cli.type('terminal length 0\r');
  return cli;
}

/** Plays lines into a session and keeps the whole screen, a line feed where the device sends CR LF. */
async function transcript(name: 'gw-a' | 'gw-b' | 'ext', lines: readonly string[]): Promise<string> {
  const cli = await privileged(name);
  for (const line of lines) await cli.type(`${line}\r`, 500);
  return cli.screen().replaceAll('\r\n', '\n');
}

describe('transcripts', () => {
  const advertise = ['configure terminal', 'router bgp 65002', 'address-family ipv4', 'network 23.0.0.0 mask 255.0.0.0', 'end'];
  const cases: Readonly<Record<string, { readonly on: 'gw-a' | 'gw-b' | 'ext'; readonly lines: readonly string[] }>> = {
    'show-commands': {
      on: 'gw-a',
      lines: [
        'show version',
        'show clock',
        'show users',
        'show ip interface brief',
        'show standby brief',
        'show standby',
        'show running-config',
        'show startup-config | include hostname',
      ],
    },
    advertise: {
      on: 'gw-a',
      lines: [
        'show ip bgp 23.0.0.0 255.0.0.0',
        ...advertise,
        'show running-config | section ^router bgp',
        'show ip bgp',
        'show ip bgp 23.0.0.0 255.0.0.0',
        'show ip bgp summary',
        'show ip bgp neighbors 10.0.2.1 advertised-routes',
        'conf t',
        'router bgp 65002',
        'no network 23.0.0.0',
        'do show ip bgp 23.0.0.0',
        'end',
      ],
    },
    refusals: {
      on: 'gw-a',
      lines: [
        'shwo version',
        'show ip bpg',
        'sh',
        'show ip bgp 23.0.0.0 255.0.0.1',
        'te',
        'show version | nothing x',
        'show version | include (a+)+$',
        'configure terminal',
        'router bgp 65009',
        'interface Vlan 10',
        'standby 10 priority 256',
        'network 23.0.0.0',
        'router bgp 65002',
        'neighbor 192.0.2.1 activate',
        'ho',
        'hostname 4!',
        'end',
      ],
    },
  };
  for (const [name, { on, lines }] of Object.entries(cases))
    test(`${name} reads as on the device`, async () => {
      await expect(await transcript(on, lines)).toMatchFileSnapshot(`transcripts/${name}.txt`);
    });
});

test('a screen is full after 23 lines, a blank turns it, a line feed moves one line, anything else ends it', async () => {
  const cli = await privileged();
  await cli.type('terminal length 24\r');
  const first = await cli.type('show running-config\r');
  expect(first.split('\r\n')).toHaveLength(1 + 23 + 1);
  expect(first.endsWith('\r\n --More-- ')).toBe(true);
  const wipe = '\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b';
  const line = await cli.type('\r');
  expect(line.startsWith(wipe)).toBe(true);
  expect(line.split('\r\n')).toHaveLength(2);
  const page = await cli.type(' ');
  expect(page.split('\r\n').length).toBeGreaterThan(10);
  expect(await cli.type('q')).toMatch(/^[\b ]+(gw-a#)?$/);
  expect(cli.screen().endsWith('gw-a#')).toBe(true);
});

test('what is typed while the device works is echoed behind the next prompt', async () => {
  const cli = await privileged();
  expect(await cli.type('show clock\rshow clock\r', 9)).toBe('show clock\r\n');
  expect(await cli.type('', 11)).toMatch(/^\*03:31:\S+ UTC Mon Nov 23 2026\r\ngw-a#show clock\r\n\*.*\r\ngw-a#$/);
});

test('a password is not echoed, and three wrong ones are enough', async () => {
  const cli = session();
  await cli.type('enable\r');
  for (let i = 0; i < 3; i++) await cli.type('wrong\r');
  expect(cli.screen()).not.toContain('wrong');
  expect(cli.screen().endsWith('% Bad secrets\r\n\r\ngw-a>')).toBe(true);
});

test('user mode does not know what only privileged mode does', async () => {
  const cli = session();
  expect(await cli.type('configure terminal\r')).toContain("% Invalid input detected at '^' marker.");
  expect(await cli.type('show running-config\r')).toContain("% Invalid input detected at '^' marker.");
});

test('erase, erase word, erase line and Ctrl-Z do what they do on a vty', async () => {
  const cli = await privileged();
  expect(await cli.type('show clocj\bk\r')).toContain('\b \bk\r\n*');
  expect(await cli.type('show version\x17clock\r')).toContain('UTC');
  expect(await cli.type('nonsense\x15show clock\r')).toContain('UTC');
  await cli.type('configure terminal\r');
  expect(await cli.type('router bgp 65002\r')).toContain('gw-a(config-router)#');
  expect(await cli.type('\x1a')).toContain('^Z\r\ngw-a#');
});

test('a question mark lists what comes next and keeps the line', async () => {
  const cli = await privileged();
  const answer = await cli.type('show ip bgp ?');
  expect(answer).toContain('?\r\n  <address>\r\n  <cr>\r\n  neighbors\r\n  summary\r\n');
  expect(answer.endsWith('gw-a#show ip bgp ')).toBe(true);
});

test('either form of a classful network is one network', async () => {
  const cli = await privileged();
  const lines = [
    'configure terminal',
    'router bgp 65002',
    'network 23.0.0.0',
    'address-family ipv4',
    'network 23.0.0.0 mask 255.0.0.0',
  ];
  for (const line of [...lines, 'no network 23.0.0.0 mask 255.0.0.0', 'no network 23.0.0.0']) await cli.type(`${line}\r`);
  expect(cli.writes.map(({ line, changed }) => `${line} ${changed}`)).toEqual([
    'network 23.0.0.0 true',
    'network 23.0.0.0 false',
    'no network 23.0.0.0 true',
    'no network 23.0.0.0 false',
  ]);
});

test('leaving configuration mode is told by syslog, with user, line and address', async () => {
  const cli = await privileged();
  await cli.type('configure terminal\r');
  await cli.type('end\r');
  expect(cli.said.at(-1)).toMatch(
    /^<189>42: gw-a: 000042: \*Nov 23 03:31:\d\d\.\d{3}: %SYS-5-CONFIG_I: Configured from console by offbox on vty0 \(127\.23\.0\.1\)$/,
  );
});

test('a changed priority moves the gateway', async () => {
  const cli = await privileged('gw-a');
  for (const line of ['configure terminal', 'interface vl20', 'standby 10 priority 150', 'standby 10 preempt', 'end'])
    await cli.type(`${line}\r`);
  await cli.wall.advance(3_000);
  expect(await cli.type('show standby brief\r')).toMatch(/Vl20 +10 +150 P Active/);
});

test('write memory keeps what a reload would lose', async () => {
  const cli = await privileged();
  for (const line of ['configure terminal', 'hostname other', 'end']) await cli.type(`${line}\r`);
  expect(await cli.type('write memory\r')).toContain('[OK]');
  expect(cli.network.devices['gw-a'].startup.some(({ line }) => line === 'hostname other')).toBe(true);
  expect(cli.writes.at(-1)).toMatchObject({ line: 'write memory', changed: true });
});

test('exit leaves one mode after the other and then hangs up', async () => {
  const cli = await privileged();
  for (const line of ['configure terminal', 'router bgp 65002', 'address-family ipv4']) await cli.type(`${line}\r`);
  expect(await cli.type('exit\r')).toContain('(config-router)#');
  expect(await cli.type('exit\r')).toContain('(config)#');
  expect(await cli.type('exit\r')).toContain('gw-a#');
  await cli.type('exit\r');
  expect(cli.closed()).toBe(true);
});

test('whatever is typed, a byte at a time or at once, gives the same screen and never throws', async () => {
  const words = [
    'show',
    'run',
    '|',
    'section',
    'conf t',
    'router bgp 65002',
    '\r',
    '\n',
    '\b',
    '\x15',
    '\x1b[A',
    '?',
    ' ',
    '\x03',
    '\x1a',
    'end',
    'é',
    '\0',
    'no network 23.0.0.0',
    '"',
    '^',
    '(a+)+$',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 5 })), { maxLength: 30 }),
      async (parts) => {
        const text = parts.join('');
        const whole = await privileged();
        await whole.type(text, 2_000);
        const pieces = await privileged();
        for (const char of text) pieces.shell.input(char);
        await pieces.type('', 2_000);
        expect(pieces.screen()).toBe(whole.screen());
      },
    ),
    { numRuns: 60 },
  );
});

test('what is typed ahead of a busy device is kept up to a bound, and the rest is lost', async () => {
  const cli = await privileged();
  await cli.type(`show clock\r${'x'.repeat(60_000)}\x15show users\r`, 100);
  expect(cli.screen()).toContain('Location');
  await cli.type(`show clock\r${'x'.repeat(70_000)}\x15show version\r`, 100);
  expect(cli.screen()).not.toContain('uptime');
});
