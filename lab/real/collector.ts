// Owns: a syslog collector that knows nothing of Offbox, for tests of the lab itself. Run as a program in a node's network:
// `collector.ts ADDRESS UDP TCP` prints one JSON object for each datagram, and for each octet-counted frame (RFC 6587 3.4.1).
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

export interface Collected {
  readonly transport: 'udp' | 'tcp';
  readonly from: string;
  readonly text: string;
}

const [address, udpPort, tcpPort] = process.argv.slice(2);
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const udp = createSocket('udp4');
udp.on('message', (data, { address: from }) => print({ transport: 'udp', from, text: data.toString() } satisfies Collected));

const tcp = createServer((socket) => {
  let rest = Buffer.alloc(0);
  const from = socket.remoteAddress ?? '';
  socket.on('error', () => {}); // a killed node resets its connections
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const count = /^(\d{1,6}) /.exec(rest.subarray(0, 8).toString('latin1'));
      const start = count?.[0].length ?? 0;
      const end = start + Number(count?.[1]);
      if (!count || rest.length < end) return;
      print({ transport: 'tcp', from, text: rest.subarray(start, end).toString() } satisfies Collected);
      rest = rest.subarray(end);
    }
  });
});

udp.bind(Number(udpPort), address, () => tcp.listen(Number(tcpPort), address, () => print({ listening: true })));
