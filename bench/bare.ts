// Owns: the floor of the reaction: a script that does without thinking what Offbox does upon the same datagram. The same
// commands over a warm shell, one after another, then the write: no parser, no journal, no plan, no proof.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import ssh2, { type ClientChannel } from 'ssh2';
import { inOnePiece } from '../adapters/ssh/socket.ts';
import { addresses, asking, password } from './gateways.ts';
import { serve } from './process.ts';

/** What Offbox reads before it writes. */
const shows = ['show running-config | section ^router bgp'];

async function shellTo(address: string, port: number): Promise<ClientChannel> {
  const sock = inOnePiece(connect(port, address));
  const client = new ssh2.Client();
  client.connect({ sock, username: 'bench', password });
  await once(client, 'ready');
  return new Promise((resolve, reject) => client.shell((error, channel) => (error ? reject(error) : resolve(channel))));
}

/** Says a line, waits for the prompt. */
function say(shell: ClientChannel, line: string): Promise<void> {
  return new Promise((resolve) => {
    const hear = (bytes: Buffer): void => {
      if (!bytes.toString('latin1').endsWith('#')) return;
      shell.off('data', hear);
      resolve();
    };
    shell.on('data', hear);
    shell.write(`${line}\n`);
  });
}

export type BareCalls = typeof calls;
const calls = serve({
  /** The gateways' SSH ports; the UDP port it listens on. */
  async start({ ports }: { readonly ports: readonly number[] }): Promise<number> {
    const shells = new Map<string, ClientChannel>();
    for (const [index, address] of addresses.entries()) shells.set(address, await shellTo(address, ports[index]!));
    const socket = createSocket('udp4');
    socket.on('message', (bytes, { address }) => void react(shells.get(address)!, bytes.toString('latin1')));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket.address().port;
  },
  idle: (_: null): void => undefined,
});

async function react(shell: ClientChannel, message: string): Promise<void> {
  for (const show of shows) await say(shell, show);
  const no = message.includes(asking.unwanted) ? 'no ' : '';
  for (const line of ['configure terminal', 'router bgp 65002', `${no}network 23.0.0.0`, 'end']) await say(shell, line);
}
