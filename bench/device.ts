// Owns: two gateways in one process, each an IOS command line over SSH that answers at once: what an HSRP pair says of
// itself before and after a failover, and when it was asked what. They also send the message, so that one clock measures.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import ssh2, { type ServerChannel } from 'ssh2';
import { inOnePiece } from '../adapters/ssh/socket.ts';
import { newKeyPair } from '../lab/servers/ssh-keys.ts';
import { addresses, asking, neighbor, password } from './gateways.ts';
import { clockMs, serve } from './process.ts';

export interface Reaction {
  /** Datagram sent → first byte of the write here. */
  readonly totalMs: number;
  /** Of that the device's: between a command's last byte and the answer given to SSH. */
  readonly deviceMs: number;
  /** Commands answered before the write. */
  readonly asked: number;
}

class Gateway {
  readonly name: string;
  readonly address: string;
  active = false;
  advertises = false;
  /** Since the message was sent. */
  asked = 0;
  answeringMs = 0;
  onWrite: ((at: number) => void) | undefined;
  onChange: (() => void) | undefined;

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
  }

  show(command: string): string {
    if (command === 'show standby brief') {
      const [state, active, standby] = this.active ? ['Active ', 'local', '10.1.1.3'] : ['Standby', '10.1.1.3', 'local'];
      return `                     P indicates configured to preempt.\n                     |\nInterface   Grp  Pri P State   Active          Standby         Virtual IP\nVl10        10   110 P ${state} ${active.padEnd(15)} ${standby.padEnd(15)} 10.1.1.1\n`;
    }
    if (command === 'show running-config | section ^router bgp')
      return `router bgp 65002\n bgp log-neighbor-changes\n${this.advertises ? ' network 23.0.0.0\n' : ''} neighbor ${neighbor} remote-as 65001\n`;
    if (command === 'show ip bgp 23.0.0.0 255.0.0.0')
      return this.advertises
        ? 'BGP routing table entry for 23.0.0.0/8, version 5\nPaths: (1 available, best #1, table default)\n  Refresh Epoch 1\n  Local\n    0.0.0.0 from 0.0.0.0 (10.99.0.2)\n      Origin IGP, metric 0, localpref 100, weight 32768, valid, sourced, local, best\n'
        : '% Network not in table\n';
    if (command.endsWith('advertised-routes')) {
      const row = ' *>   23.0.0.0         0.0.0.0                  0         32768 i\n';
      return `${this.advertises ? row : ''}\nTotal number of prefixes ${this.advertises ? 1 : 0} \n`;
    }
    return command.startsWith('terminal ') ? '' : "% Invalid input detected at '^' marker.\n";
  }

  change(line: string): void {
    if (!/^(no )?network /.test(line)) return;
    this.advertises = !line.startsWith('no ');
    this.onChange?.();
  }
}

/** Echo, prompt, exec and configuration mode: as much of IOS as the actuator meets. */
function talk(gateway: Gateway, channel: ServerChannel): void {
  let line = '';
  let mode = '';
  const prompt = (): string => `${gateway.name}${mode}#`;
  const execute = (typed: string): string => {
    if (mode === '' && typed === 'configure terminal') mode = '(config)';
    else if (mode === '') return gateway.show(typed).replaceAll('\n', '\r\n');
    else if (typed === 'end') mode = '';
    else if (typed.startsWith('router ')) mode = '(config-router)';
    else gateway.change(typed);
    return '';
  };
  channel.write(prompt());
  channel.on('data', (bytes: Buffer) => {
    const at = clockMs();
    if (mode === '' && line === '' && bytes.toString('latin1').startsWith('configure')) gateway.onWrite?.(at);
    for (const character of bytes.toString('latin1')) {
      if (character !== '\r' && character !== '\n') line += character;
      else {
        const typed = line;
        line = '';
        channel.write(`${typed}\r\n${execute(typed)}${prompt()}`);
        gateway.asked += 1;
        gateway.answeringMs += clockMs() - at;
      }
    }
  });
}

const hostKey = newKeyPair();

function fingerprint(): string {
  const parsed = ssh2.utils.parseKey(hostKey.private);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('ssh2 does not read the key it made');
  return `SHA256:${createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
}

async function listen(gateway: Gateway): Promise<number> {
  const ssh = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) =>
      context.method === 'password' && context.password === password ? context.accept() : context.reject(['password']),
    );
    client.on('session', (accept) => {
      const session = accept();
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('shell', (acceptShell) => talk(gateway, acceptShell()));
    });
  });
  // A device that gathers its answers (Nagle) would be measured, not Offbox; or one that sends each in four pieces, which none does.
  const server = createServer((socket: Socket) => ssh.injectSocket(inOnePiece(socket) as never));
  server.listen(0, gateway.address);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const gateways = addresses.map((address, index) => new Gateway(`gw${index + 1}`, address));
const senders = gateways.map(() => createSocket('udp4'));
let sent = 0;

/** Sends a message from the gateway's own address. */
function say(index: number, port: number, text: string): void {
  sent += 1;
  senders[index]!.send(`<189>${sent}: ${gateways[index]!.name}: Nov 23 03:31:09.857 UTC: ${text}`, port, '127.0.0.1');
}

const messages = {
  active: '%HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active',
  wanted: `%${asking.wanted}: please`,
  unwanted: `%${asking.unwanted}: please`,
} as const;

interface Provocation {
  readonly what: keyof typeof messages;
  readonly index: number;
  readonly port: number;
}

export type DeviceCalls = typeof calls;
const calls = serve({
  async start(_: null): Promise<{ readonly ports: readonly number[]; readonly hostKey: string }> {
    for (const [index, sender] of senders.entries()) {
      sender.bind(0, addresses[index]);
      await once(sender, 'listening');
    }
    return { ports: await Promise.all(gateways.map(listen)), hostKey: fingerprint() };
  },
  /**
   * Says what Offbox shall react to; resolves when it has. `active`: this gateway is the active one now, and shall advertise
   * while the other shall no more. `wanted`, `unwanted`: a message that asks for nothing to be read before.
   */
  async provoke({ what, index, port }: Provocation): Promise<Reaction> {
    const chosen = gateways[index]!;
    const settled = Promise.withResolvers<void>();
    const written = Promise.withResolvers<{ readonly at: number; readonly asked: number; readonly deviceMs: number }>();
    const wanted = (gateway: Gateway): boolean => (what === 'active' ? gateway.active : what === 'wanted');
    const concerned = what === 'active' ? gateways : [chosen];
    for (const gateway of gateways) {
      if (what === 'active') gateway.active = gateway === chosen;
      gateway.asked = 0;
      gateway.answeringMs = 0;
      gateway.onChange = () => {
        if (concerned.every((each) => each.advertises === wanted(each))) settled.resolve();
      };
      gateway.onWrite = (at) => {
        const asked = gateways.reduce((sum, each) => sum + each.asked, 0);
        written.resolve({ at, asked, deviceMs: gateways.reduce((sum, each) => sum + each.answeringMs, 0) });
      };
    }
    const from = clockMs();
    say(index, port, messages[what]);
    const { at, asked, deviceMs } = await written.promise;
    await settled.promise;
    return { totalMs: at - from, deviceMs, asked };
  },
});
