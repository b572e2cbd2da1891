// The CLI actuator against SSH servers on loopback that play devices.
import { Socket } from 'node:net';
import ssh2, { type ServerChannel, type ServerConfig } from 'ssh2';
import { afterEach, expect, test, vi } from 'vitest';
import { cliActuator } from '../../adapters/actuator-cli/index.ts';
import { iosDialect } from '../../adapters/platforms/cisco-ios/cli.ts';
import { OperatorError, RuntimeFault, TargetError } from '../../src/model/errors.ts';
import type { Target } from '../../src/model/target.ts';
import type { Session } from '../../src/ports/actuator.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { type Device, type DeviceOptions, device, ios, oneByOne, password, secrets } from './device.ts';

const actuator = cliActuator({ wall: realWall, secrets, dialectOf: () => iosDialect });
const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];

async function playing(options: DeviceOptions): Promise<Device> {
  const played = await device(options);
  ends.push(played.close);
  return played;
}

async function session(options: DeviceOptions, change: (target: Target) => Target = (target) => target): Promise<Session> {
  const played = await playing(options);
  const opened = await actuator.open('edge1', change(played.target), never);
  ends.unshift(opened.close);
  return opened;
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const clock = { answers: { 'show clock': '*03:14:07.000 UTC Mon Mar 1 1993\n' } };
const showClock = { kind: 'cli', line: 'show clock' } as const;
const advertise = ['router bgp 65002', 'address-family ipv4', 'network 23.0.0.0 mask 255.0.0.0'];

/** What a rejected promise was rejected with. */
async function thrownBy(promise: Promise<unknown>): Promise<TargetError> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  return error as TargetError;
}

/** A shell that answers each line by hand; `typed` resolves as lines come. */
function byHand(answer: (line: string, stream: ServerChannel) => void): DeviceOptions['shell'] {
  return (stream) => {
    let line = '';
    stream.on('data', (bytes: Buffer) => {
      line += bytes.toString('latin1');
      for (let end = line.indexOf('\n'); end >= 0; end = line.indexOf('\n')) {
        const typed = line.slice(0, end);
        line = line.slice(end + 1);
        if (typed.startsWith('terminal ')) stream.write(`${typed}\r\nedge1#`);
        else answer(typed, stream);
      }
    });
    stream.write('edge1#');
  };
}

test('an exec command answers with its output alone', async () => {
  const edge = await session({ shell: ios(clock) });
  expect(await edge.run(showClock, never)).toEqual({ text: '*03:14:07.000 UTC Mon Mar 1 1993' });
});

test('a command goes out in one piece', async () => {
  const played = await playing({ shell: ios(clock) });
  const edge = await actuator.open('edge1', played.target, never);
  ends.unshift(edge.close);
  const writes = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev' as '_write')];
  for (let commands = 0; commands < 20; commands += 1) await edge.run(showClock, never);
  const ours = writes.flatMap(({ mock }) => mock.contexts).filter((socket) => (socket as Socket).remotePort === played.port);
  vi.restoreAllMocks();
  expect(ours).toHaveLength(20);
});

test('it works with every byte in a packet of its own', async () => {
  const edge = await session({ shell: ios({ send: oneByOne, answers: { 'show clock': 'a\nedge2#\nb\n' } }) });
  expect((await edge.run(showClock, never)).text).toBe('a\nedge2#\nb');
});

test('a device that pages all the same is paged on', async () => {
  const long = Array.from({ length: 50 }, (_, index) => `line ${index}`).join('\n');
  const edge = await session({ shell: ios({ screen: 7, answers: { 'show long': long } }) });
  expect((await edge.run({ kind: 'cli', line: 'show long' }, never)).text).toBe(long);
});

test('a banner that looks like a prompt does not name the host', async () => {
  const edge = await session({ shell: ios({ ...clock, send: oneByOne, motd: 'unauthorized#\r\nuse is prohibited>\r\n' }) });
  expect((await edge.run(showClock, never)).text).toContain('1993');
});

test('a refused command is told by its exact line, once, and the session stays', async () => {
  const edge = await session({ shell: ios(clock) });
  const error = await thrownBy(edge.run({ kind: 'cli', line: 'show colour' }, never));
  expect(error).toBeInstanceOf(TargetError);
  expect(error).toMatchObject({ code: 'refused-command', retry: false });
  expect(error.message).toContain(`edge1 refused "show colour": % Invalid input detected at '^' marker.`);
  expect((await edge.run(showClock, never)).text).toContain('1993');
});

test('configuration is entered, written and left', async () => {
  const played = await playing({ shell: ios(clock) });
  const edge = await actuator.open('edge1', played.target, never);
  await edge.run({ kind: 'configure', lines: advertise }, never);
  expect(played.typed()).toMatch(new RegExp(`configure terminal\n${advertise.join('\n')}\nend\n$`));
  expect((await edge.run(showClock, never)).text).toContain('1993');
  await edge.close();
});

test('a refused configuration line stops the rest, leaves the mode and is named', async () => {
  const refusals = { 'address-family ipv4': "      ^\n% Invalid input detected at '^' marker.\n" };
  const played = await playing({ shell: ios({ ...clock, refusals }) });
  const edge = await actuator.open('edge1', played.target, never);
  const error = await thrownBy(edge.run({ kind: 'configure', lines: advertise }, never));
  expect(error).toMatchObject({ code: 'refused-command', retry: false });
  expect(error.message).toContain('refused line 2 of 3, "address-family ipv4": % Invalid input');
  expect(error.message).toContain('the 1 before it were taken');
  expect(played.typed()).not.toContain('network');
  expect(played.typed().endsWith('end\n')).toBe(true);
  expect((await edge.run(showClock, never)).text).toContain('1993');
  await edge.close();
});

test('an AS that is already another one is a refusal', async () => {
  const edge = await session({ shell: ios({ refusals: { 'router bgp 65009': 'BGP is already running; AS is 65002\n' } }) });
  const error = await thrownBy(edge.run({ kind: 'configure', lines: ['router bgp 65009'] }, never));
  expect(error.message).toContain('BGP is already running; AS is 65002');
});

test('a device that stays out of configuration mode is told, and nothing is sent to it', async () => {
  const played = await playing({
    shell: byHand((line, stream) => stream.write(`${line}\r\n% Configuration mode is locked by process 3\r\nedge1#`)),
  });
  const edge = await actuator.open('edge1', played.target, never);
  const error = await thrownBy(edge.run({ kind: 'configure', lines: advertise }, never));
  expect(error.message).toContain('did not enter configuration mode: % Configuration mode is locked');
  expect(played.typed()).not.toContain('router');
  await edge.close();
});

test.each(['show clock\nreload', 'show clock\rreload', 'show ?', '', 'show \u00e9'])('%j is not sent', async (line) => {
  const played = await playing({ shell: ios(clock) });
  const edge = await actuator.open('edge1', played.target, never);
  expect(await thrownBy(edge.run({ kind: 'cli', line }, never))).toBeInstanceOf(RuntimeFault);
  expect(await thrownBy(edge.run({ kind: 'configure', lines: ['interface Vlan1', line] }, never))).toBeInstanceOf(RuntimeFault);
  expect(played.typed()).not.toMatch(/reload|configure|show/);
  expect((await edge.run(showClock, never)).text).toContain('1993');
  await edge.close();
});

test('one command runs at a time', async () => {
  const edge = await session({ shell: ios(clock) });
  const first = edge.run(showClock, never);
  expect(await thrownBy(edge.run(showClock, never))).toMatchObject({ code: 'bad-command' });
  expect((await first).text).toContain('1993');
});

test('a NETCONF command is not for it', async () => {
  const edge = await session({ shell: ios(clock) });
  expect(await thrownBy(edge.run({ kind: 'get', filter: '<a/>' }, never))).toBeInstanceOf(RuntimeFault);
});

test('user mode is raised with the enable password', async () => {
  const enable = { env: 'ENABLE' };
  const edge = await session({ shell: ios({ ...clock, startsInUserMode: true }) }, (target) => ({
    ...target,
    cli: { ...target.cli!, enable },
  }));
  expect((await edge.run(showClock, never)).text).toContain('1993');
});

test('an enable password that is wanted and missing is asked of the operator', async () => {
  const { target } = await playing({ shell: ios({ startsInUserMode: true }) });
  const error = await thrownBy(actuator.open('edge1', target, never));
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).toContain('wants an enable password');
});

test('a wrong enable password is told without it', async () => {
  const { target } = await playing({ shell: ios({ startsInUserMode: true }) });
  const error = await thrownBy(
    actuator.open('edge1', { ...target, cli: { ...target.cli!, enable: { env: 'PASSWORD' } } }, never),
  );
  expect(error).toMatchObject({ code: 'login-refused', retry: false });
  expect(error.message).not.toContain(password);
});

test.each([
  ['password', { password: { env: 'PASSWORD' } }],
  ['keyboard-interactive', { password: { env: 'PASSWORD' } }],
  ['publickey', { key: { env: 'KEY' } }],
] as const)('it logs in by %s', async (method, secret) => {
  const edge = await session({ methods: [method], shell: ios(clock) }, (target) => {
    const { password: _none, ...cli } = target.cli!;
    return { ...target, cli: { ...cli, ...secret } };
  });
  expect((await edge.run(showClock, never)).text).toContain('1993');
});

test('a refused login is told without the password and not tried again', async () => {
  const { target } = await playing({ shell: ios() });
  const error = await thrownBy(
    actuator.open('edge1', { ...target, cli: { ...target.cli!, password: { env: 'ENABLE' } } }, never),
  );
  expect(error).toMatchObject({ code: 'login-refused', retry: false });
  expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('sesame');
});

test('a key that is none is the operator’s, and is not shown', async () => {
  const { target } = await playing({ shell: ios() });
  const { password: _none, ...cli } = target.cli!;
  const broken = cliActuator({ wall: realWall, secrets: async () => 'BEGIN NONSENSE', dialectOf: () => iosDialect });
  const error = await thrownBy(broken.open('edge1', { ...target, cli: { ...cli, key: { env: 'KEY' } } }, never));
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).not.toContain('NONSENSE');
});

test('another host key is refused, showing both, and nothing is typed', async () => {
  const played = await playing({ shell: ios() });
  const hostKey = `SHA256:${'A'.repeat(43)}`;
  const error = await thrownBy(actuator.open('edge1', { ...played.target, cli: { ...played.target.cli!, hostKey } }, never));
  expect(error).toMatchObject({ code: 'host-key-mismatch', retry: false });
  expect(error.message).toContain(hostKey);
  expect(error.message).toContain(played.target.cli!.hostKey);
  expect(played.typed()).toBe('');
});

test.each(['hostKey', 'password'] as const)('without a %s nobody is called', async (missing) => {
  const played = await playing({ shell: ios() });
  const { [missing]: _none, ...cli } = played.target.cli!;
  const error = await thrownBy(actuator.open('edge1', { ...played.target, cli: cli as NonNullable<Target['cli']> }, never));
  expect(error).toBeInstanceOf(OperatorError);
  expect(played.connections()).toBe(0);
});

const oldBox = {
  hostKeys: [ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }).private],
  algorithms: { kex: ['diffie-hellman-group14-sha1'], cipher: ['aes128-cbc'], serverHostKey: ['ssh-rsa'] },
} as Partial<ServerConfig>;

test('a box with old algorithms only is refused, with the setting named', async () => {
  const { target } = await playing({ shell: ios(), config: oldBox });
  const error = await thrownBy(actuator.open('edge1', target, never));
  expect(error).toMatchObject({ code: 'no-common-algorithm', retry: false });
  expect(error.message).toContain('legacyAlgorithms');
});

test('a box with old algorithms only is spoken to where the inventory says so', async () => {
  const edge = await session({ shell: ios(clock), config: oldBox }, (target) => ({
    ...target,
    cli: { ...target.cli!, legacyAlgorithms: true },
  }));
  expect((await edge.run(showClock, never)).text).toContain('1993');
});

test('a port where nobody listens is a fault of transport', async () => {
  const played = await device({ shell: ios() });
  await played.close();
  expect(await thrownBy(actuator.open('edge1', played.target, never))).toMatchObject({ code: 'connection-lost', retry: true });
});

test('a device that says nothing is given up when told to, while connecting', async () => {
  const { target } = await playing({ shell: () => undefined });
  const stop = new AbortController();
  const opening = thrownBy(actuator.open('edge1', target, stop.signal));
  stop.abort(new Error('late'));
  expect(await opening).toMatchObject({ code: 'aborted', retry: true });
});

test('a device that shows no prompt is given up when told to', async () => {
  const stop = new AbortController();
  const { target } = await playing({ shell: () => stop.abort(new Error('late')) });
  expect(await thrownBy(actuator.open('edge1', target, stop.signal))).toMatchObject({ code: 'aborted', retry: true });
});

test('an abort closes the session, and whatever is asked after fails', async () => {
  const stop = new AbortController();
  const edge = await session({ shell: byHand(() => stop.abort(new Error('late'))) });
  const error = await thrownBy(edge.run(showClock, stop.signal));
  expect(error).toMatchObject({ code: 'aborted', retry: true });
  expect(error.message).toContain('running "show clock"');
  await edge.closed;
  expect(await thrownBy(edge.run(showClock, never))).toMatchObject({ retry: true });
});

test('half a prompt is waited for', async () => {
  const stop = new AbortController();
  const edge = await session({
    shell: byHand((line, stream) => {
      stream.write(`${line}\r\n1993\r\nedge1`);
      stop.abort(new Error('late'));
    }),
  });
  expect(await thrownBy(edge.run(showClock, stop.signal))).toMatchObject({ code: 'aborted' });
});

test('a session closed in the middle of an answer is a fault of transport', async () => {
  const edge = await session({
    shell: byHand((line, stream) => {
      stream.write(`${line}\r\nhalf an answ`);
      stream.close();
    }),
  });
  const error = await thrownBy(edge.run(showClock, never));
  expect(error).toMatchObject({ code: 'connection-lost', retry: true });
  await edge.closed;
});

test('an answer of 50 MB is cut at the bound and the session closed', async () => {
  const edge = await session({
    shell: byHand((line, stream) => {
      stream.write(`${line}\r\n`);
      const block = Buffer.alloc(1024 * 1024, 'a line of text that goes on\r\n');
      for (let sent = 0; sent < 50; sent++) stream.write(block);
    }),
  });
  const error = await thrownBy(edge.run(showClock, never));
  expect(error).toMatchObject({ code: 'reply-too-long', retry: false });
  await edge.closed;
});

test('what was written unasked is never taken into an answer: it comes before the echo, or ends the session', async () => {
  let say = (): void => undefined;
  const edge = await session({
    shell: byHand((line, stream) => {
      stream.write(`${line}\r\n1993\r\nedge1#`);
      say = () => stream.write('\r\n%SYS-5-CONFIG_I: Configured from console by admin\r\nedge1#');
    }),
  });
  await edge.run(showClock, never);
  say();
  // Heard in the same order as it was said: the echo of what is asked next comes after it.
  const answers = [
    await edge.run(showClock, never).catch((error: unknown) => error),
    await edge.run(showClock, never).catch((error: unknown) => error),
  ];
  for (const answer of answers) {
    if (answer instanceof Error) expect(answer).toMatchObject({ code: 'connection-lost', retry: true });
    else expect(answer).toEqual({ text: '1993' });
  }
});

test('escape sequences, backspaces and redrawn lines leave clean text', async () => {
  const edge = await session({
    shell: byHand((line, stream) => {
      stream.write(`\r\x1b[Kedge1#${line}\r\n\x1b[1mbold\x1b[m\r\nabc\b\b\bxyz\r\n\x1b]0;title\x07edge1#`);
    }),
  });
  expect((await edge.run(showClock, never)).text).toBe('bold\nxyz');
});

test('closing ends it, and twice is no fault', async () => {
  const edge = await session({ shell: ios(clock) });
  await edge.close();
  await edge.closed;
  await edge.close();
});
