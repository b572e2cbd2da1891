// Owns: the sender, a process of its own: lines over TCP as fast as they are taken, or a burst of datagrams.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { lineMaker } from './lines.ts';
import { clockMs, serve } from './process.ts';

interface Burst {
  readonly port: number;
  readonly datagrams: number;
  readonly bytes: number;
}

const makers = new Map<number, ReturnType<typeof lineMaker>>();
let loaded: Buffer = Buffer.alloc(0);
let socket: Socket | undefined;

export type SenderCalls = typeof calls;
const calls = serve({
  /** Makes lines ready, so that making them is not measured. `key` names the stream that they go on in. */
  async load({ port, lines, rules, key }: { port: number; lines: number; rules: number; key: number }): Promise<number> {
    let maker = makers.get(key);
    if (!maker) {
      maker = lineMaker(rules);
      makers.set(key, maker);
    }
    loaded = Buffer.from(`${maker(lines).join('\n')}\n`);
    socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return loaded.length;
  },
  /** When the first byte went out. */
  async send(_: null): Promise<number> {
    const at = clockMs();
    socket!.end(loaded);
    await once(socket!, 'close');
    return at;
  },
  /** Sends as fast as this process can. Datagrams count up, as IOS does, so that a loss is seen. */
  async burst({ port, datagrams, bytes }: Burst): Promise<{ readonly tookMs: number }> {
    const udp = createSocket('udp4');
    const made = Array.from({ length: datagrams }, (_, n) => {
      const line = `<189>${n + 1}: edge1: Nov 23 03:31:09.857 UTC: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi1/0/${n % 48}, changed state to `;
      return Buffer.from(line.padEnd(bytes, 'up ').slice(0, bytes));
    });
    udp.connect(port, '127.0.0.1');
    await once(udp, 'connect');
    const from = clockMs();
    let last = Promise.resolve();
    for (const [index, one] of made.entries()) {
      if (index < made.length - 1) udp.send(one);
      else last = new Promise((resolve, reject) => udp.send(one, (error) => (error ? reject(error) : resolve())));
    }
    await last;
    const tookMs = clockMs() - from;
    udp.close();
    return { tookMs };
  },
});
