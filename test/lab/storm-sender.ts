// Owns: a storm of syslog: thousands of lines a second over UDP and TCP, as a network in trouble sends them: lines that matter
// to nobody, first-hop changes that never were, from the gateways' own addresses, the same line again, and garbage.
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { Prng } from '../../src/testing/prng.ts';

export interface StormOptions {
  readonly prng: Prng;
  readonly host: string;
  readonly port: number;
  /** Addresses that it sends from, forged; of the lab's gateways by name. */
  readonly gateways: Readonly<Record<string, string>>;
  /** Whether first-hop changes are forged now. */
  readonly forges: () => boolean;
}

export interface Storm {
  readonly sent: () => number;
  stop(): void;
}

const everyMs = 10;
const datagramsEach = 30;
const linesEach = 20;
/** Nobody reads: a line more is not kept for him. */
const unreadBytesMax = 1024 * 1024;
const states = ['Init', 'Listen', 'Speak', 'Standby', 'Active'] as const;

export async function storm(options: StormOptions): Promise<Storm> {
  const { prng, host, port, gateways, forges } = options;
  const sockets = await Promise.all(Object.entries(gateways).map(async ([name, from]) => [name, await bound(from)] as const));
  let sent = 0;
  let last = '';
  const lineOf = (name: string): string => {
    const line = prng.chance(10) ? last : aLine(prng, name, forges());
    last = line;
    sent += 1;
    return line;
  };
  let stream: Socket | undefined;
  const timer = setInterval(() => {
    for (let count = 0; count < datagramsEach; count += 1) {
      const [name, socket] = prng.pick(sockets as [(typeof sockets)[number], ...typeof sockets]);
      const bytes = prng.chance(2) ? garbage(prng) : Buffer.from(lineOf(name));
      // Nobody there to listen: as for any device.
      socket.send(bytes, port, host, () => undefined);
    }
    if (!stream) {
      stream = connect({ host, port });
      stream.on('error', () => undefined);
      stream.on('close', () => {
        stream = undefined;
      });
    }
    if (stream.connecting || stream.writableLength > unreadBytesMax) return;
    const lines = Array.from({ length: linesEach }, () => `${lineOf('relay')}\n`).join('');
    stream.write(prng.chance(1) ? Buffer.concat([Buffer.from(lines), garbage(prng)]) : lines);
  }, everyMs);
  return {
    sent: () => sent,
    stop() {
      clearInterval(timer);
      stream?.destroy();
      for (const [, socket] of sockets) socket.close();
    },
  };
}

function bound(address: string): Promise<DatagramSocket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, () => resolve(socket));
  });
}

function aLine(prng: Prng, name: string, forges: boolean): string {
  const head = `<189>${prng.below(1_000_000)}: ${name}: *Nov 23 03:31:09.857:`;
  if (forges && prng.chance(5))
    return `${head} %HSRP-5-STATECHANGE: Vlan10 Grp 10 state ${prng.pick(states)} -> ${prng.pick(states)}`;
  const port = `GigabitEthernet1/0/${prng.between(2, 20)}`;
  return prng.chance(50)
    ? `${head} %LINK-3-UPDOWN: Interface ${port}, changed state to ${prng.pick(['up', 'down'])}`
    : `${head} %SEC-6-IPACCESSLOGP: list 101 denied tcp 198.51.100.${prng.below(256)}(${prng.below(65_536)}) -> 23.0.0.9(22), 1 packet`;
}

function garbage(prng: Prng): Buffer {
  return Buffer.from(Array.from({ length: prng.between(0, 400) }, () => prng.below(256)));
}
