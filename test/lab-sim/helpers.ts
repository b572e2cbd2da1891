// What the tests of the simulated lab share: a fast lab on a free net, and clients that wait for what they expect.
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ClientChannel } from 'ssh2';
import { parse } from 'yaml';
import { type Lab, type LabOptions, type LabTimers, labPorts, startLab } from '../../lab/index.ts';
import type { DeviceName } from '../../lab/model/addresses.ts';
import { OperatorError } from '../../src/model/errors.ts';
import { type Inventory, inventorySchema } from '../../src/model/target.ts';
import { realWall } from '../../src/runtime/wall.ts';

export const fastTimers: LabTimers = {
  helloMs: 30,
  holdMs: 500,
  propagationMs: 5,
  bgpHoldMs: 60,
  bgpConnectMs: 20,
  bootMs: 10,
  answerMs: [0, 1],
};

export interface TestLab {
  readonly lab: Lab;
  readonly net: number;
  readonly dir: string;
  readonly inventory: Inventory;
  readonly password: string;
  readonly enablePassword: string;
  end(): Promise<void>;
}

/** On the first net from 123 on that no other test has. */
export async function testLab(timers: Partial<LabTimers> = {}, vms: LabOptions['vms'] = []): Promise<TestLab> {
  const dir = mkdtempSync(join(tmpdir(), 'lab-'));
  for (let net = 123; ; net++) {
    try {
      const lab = await startLab({ dir, wall: realWall, net, timers: { ...fastTimers, ...timers }, vms });
      const secret = (name: string) => readFileSync(join(dir, name), 'utf8').trim();
      return {
        lab,
        net,
        dir,
        inventory: inventorySchema.parse(parse(readFileSync(lab.inventoryPath, 'utf8'))),
        password: secret('password'),
        enablePassword: secret('enable-password'),
        async end() {
          await lab.stop();
          rmSync(dir, { recursive: true });
        },
      };
    } catch (error) {
      if (!(error instanceof OperatorError && error.code === 'lab-address-in-use') || net > 200) throw error;
    }
  }
}

/** Bytes as they come, and waiting until what came matches. */
export class Heard {
  text = '';
  closed = false;
  #waiting: (() => void)[] = [];

  take(bytes: Buffer | string): void {
    this.text += bytes.toString();
    this.#look();
  }

  close(): void {
    this.closed = true;
    this.#look();
  }

  #look(): void {
    for (const each of this.#waiting.splice(0)) each();
  }

  /** What was heard up to and with the match; that much is then forgotten. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match) {
        const end = match.index + match[0].length;
        const heard = this.text.slice(0, end);
        this.text = this.text.slice(end);
        return heard;
      }
      if (this.closed) throw new Error(`closed before ${pattern}; heard ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async end(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.text;
  }
}

export interface SshPeer {
  readonly client: ssh2.Client;
  /** Resolves when the connection is over. */
  readonly ended: Promise<void>;
}

export function connect(
  test: TestLab,
  device: DeviceName,
  port: number = labPorts.ssh,
  password = test.password,
): Promise<SshPeer> {
  const client = new ssh2.Client();
  const ended = new Promise<void>((resolve) => void client.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    client.once('connect', () => client.setNoDelay(true));
    client.once('ready', () => resolve({ client, ended }));
    client.on('error', reject);
    client.connect({ host: test.lab.addresses[device], port, username: 'offbox', password, readyTimeout: 0 });
  });
}

export interface Terminal extends SshPeer {
  readonly channel: ClientChannel;
  readonly heard: Heard;
  /** Types a line, and hears up to the next prompt. */
  say(line: string): Promise<string>;
}

export const prompt = /(^|\n)(gw-a|gw-b|ext|acc-1|acc-2)(\([\w-]+\))?[>#]$/;

export async function openShell(test: TestLab, device: DeviceName): Promise<Terminal> {
  const peer = await connect(test, device);
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    peer.client.shell((error, stream) => (error ? reject(error) : resolve(stream))),
  );
  const heard = hear(channel);
  await heard.until(prompt);
  return {
    ...peer,
    channel,
    heard,
    say(line) {
      channel.write(`${line}\r`);
      return heard.until(prompt);
    },
  };
}

/** With the enable password given and no paging. */
export async function openPrivileged(test: TestLab, device: DeviceName): Promise<Terminal> {
  const terminal = await openShell(test, device);
  terminal.channel.write('enable\r');
  await terminal.heard.until(/Password: $/);
  await terminal.say(test.enablePassword);
  await terminal.say('terminal length 0');
  return terminal;
}

export function hear(channel: ClientChannel): Heard {
  const heard = new Heard();
  channel.on('data', (bytes: Buffer) => heard.take(bytes));
  channel.once('close', () => heard.close());
  return heard;
}

export interface Datagrams {
  readonly all: readonly Buffer[];
  readonly from: readonly string[];
  next(matches: (datagram: Buffer) => boolean): Promise<Buffer>;
  close(): void;
}

/** What arrives where Offbox would listen. */
export async function listen(address: string, port: number): Promise<Datagrams> {
  const socket: Socket = createSocket('udp4');
  const all: Buffer[] = [];
  const from: string[] = [];
  let waiting: (() => void)[] = [];
  socket.on('message', (bytes, peer) => {
    all.push(bytes);
    from.push(peer.address);
    for (const each of waiting.splice(0)) each();
  });
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  return {
    all,
    from,
    async next(matches) {
      for (;;) {
        const found = all.find(matches);
        if (found) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    close: () => {
      waiting = [];
      socket.close();
    },
  };
}
