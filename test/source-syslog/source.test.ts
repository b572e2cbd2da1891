// The source on real sockets of loopback: what arrives, what is counted, what is told as a gap.
import { describe, expect, test, vi } from 'vitest';
import { syslogSource } from '../../adapters/source-syslog/index.ts';
import { OperatorError } from '../../src/model/errors.ts';
import { eventSchema } from '../../src/model/event.ts';
import {
  appendEntriesMax,
  gapIntervalMs,
  kernelDropsMs,
  syslogFrameBytesMax,
  syslogMessageBytesMax,
} from '../../src/model/limits.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { closed, connected, datagrams, listening, loopback, portOf, Remembering } from './harness.ts';

const kernel = vi.hoisted(() => ({ proc: undefined as string | undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    readFile: ((...all: Parameters<typeof real.readFile>) =>
      kernel.proc !== undefined && String(all[0]).startsWith('/proc/net/')
        ? Promise.resolve(kernel.proc)
        : real.readFile(...all)) as typeof real.readFile,
  };
});

const hsrp = '<189>46: nx2: Nov 23 03:31:09.857 UTC: %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active';

describe('a datagram', () => {
  test('becomes an event with its meaning and origin', async () => {
    const { source, sink } = await listening();
    await datagrams(portOf(source, 'udp'), [`${hsrp}\n`]);
    await sink.until(() => sink.events.length === 1);
    expect(eventSchema.parse(sink.events[0])).toEqual({
      meaning: { kind: 'hsrp.state-changed', interface: 'Vlan10', group: 10, from: 'standby', to: 'active' },
      syslog: expect.objectContaining({ pri: 189, mnemonic: 'HSRP-5-STATECHANGE', host: 'nx2' }),
      origin: {
        source: 'syslog',
        peer: '127.0.0.1',
        transport: 'udp',
        trust: 'claimed',
        deviceTime: 'Nov 23 03:31:09.857 UTC',
        raw: `${hsrp}\n`,
      },
    });
    expect(source.stats()).toMatchObject({ received: 1, dropped: { kernel: 0, 'no-room': 0, 'too-long': 0, malformed: 0 } });
  });

  test('that is no text, empty, or too long is counted and harms nobody', async () => {
    const { source, sink } = await listening();
    await datagrams(portOf(source, 'udp'), [Buffer.of(0xff, 0, 0xfe), '', 'x'.repeat(60_000), hsrp]);
    await sink.until(() => sink.events.length === 3);
    expect(sink.events[0]?.origin.raw).toBe('\uFFFD\0\uFFFD');
    expect(sink.events[1]?.origin.raw.length).toBe(syslogMessageBytesMax);
    expect(sink.events[2]?.meaning?.kind).toBe('hsrp.state-changed');
    expect(source.stats()).toMatchObject({ received: 4, dropped: { malformed: 1, 'too-long': 1 } });
  });

  test('comes in the order it was sent, whatever the batches', async () => {
    const { source, sink } = await listening();
    const sent = Array.from({ length: 3_000 }, (_, index) => `<189>: r1: Nov 23 03:31:09: %A-5-B: ${index}`);
    await datagrams(portOf(source, 'udp'), sent);
    await sink.until(() => sink.events.length === sent.length);
    expect(sink.texts).toEqual(sent.map((_, index) => String(index)));
  });

  test('of an IPv4 sender keeps its IPv4 address on a socket for both', async () => {
    const { source, sink } = await listening({ udp: { host: '::', port: 0 } });
    expect(source.stats().listening).toEqual([`udp [::]:${portOf(source, 'udp')}`]);
    await datagrams(portOf(source, 'udp'), ['<189>: x']);
    await datagrams(portOf(source, 'udp'), ['<189>: y'], '::1');
    await sink.until(() => sink.events.length === 2);
    expect(sink.events.map(({ origin }) => origin.peer)).toEqual(['127.0.0.1', '::1']);
  });

  test('is read as the same line over TCP is, in another thread', async () => {
    const lines = [
      hsrp,
      '<30>1 2026-11-23T03:32:14Z edge-1 vrrpd 60 - - Backup -> Master "\u001f\ud83d\ude00"',
      '<189>: ünknown\\ %',
      '<13>1 - edge-\u001f1 app - I\u001fD - names with a separator in them',
    ];
    const { source, sink } = await listening({ udp: loopback, tcp: loopback, platforms: new Map([['127.0.0.1', 'frr']]) });
    await datagrams(portOf(source, 'udp'), lines);
    await sink.until(() => sink.events.length === lines.length);
    (await connected(portOf(source, 'tcp'))).write(lines.map((line) => `${line}\n`).join(''));
    await sink.until(() => sink.events.length === 2 * lines.length);
    const [udp, tcp] = [sink.events.slice(0, lines.length), sink.events.slice(lines.length)].map((events) =>
      JSON.stringify(events),
    );
    expect(tcp).toEqual(udp!.replaceAll('"udp"', '"tcp"'));
    expect(sink.events[0]).toMatchObject({
      brief: { peer: '127.0.0.1', host: 'nx2', mnemonic: 'HSRP-5-STATECHANGE', meaning: 'hsrp.state-changed' },
    });
  });
});

describe('a TCP sender', () => {
  test('may frame either way, and byte by byte', async () => {
    const { source, sink } = await listening();
    const socket = await connected(portOf(source, 'tcp'));
    const stream = `${hsrp.length} ${hsrp}${hsrp}\n${hsrp}\r\n${hsrp}\0`;
    for (const octet of stream) socket.write(octet);
    await sink.until(() => sink.events.length === 4);
    for (const { origin, meaning } of sink.events) {
      expect(origin).toMatchObject({ transport: 'tcp', peer: '127.0.0.1', raw: hsrp });
      expect(meaning).toMatchObject({ to: 'active' });
    }
  });

  test('may send more than a turn of the loop takes: all of it comes, in order, in batches of a commit', async () => {
    const { source, sink } = await listening();
    const socket = await connected(portOf(source, 'tcp'));
    const lines = 20_000;
    socket.write(Array.from({ length: lines }, (_, index) => `<189>: r1: Nov 23 03:31:09: %A-5-B: ${index}\n`).join(''));
    await sink.until(() => sink.events.length === lines);
    expect(sink.texts.findIndex((text, index) => text !== String(index))).toBe(-1);
    expect(Math.max(...sink.offers)).toBeLessThanOrEqual(appendEntriesMax);
  });

  test('that ends gives its last line without an end; one cut off within a counted frame gives none, and is counted', async () => {
    const { source, sink } = await listening();
    (await connected(portOf(source, 'tcp'))).end('<13>whole');
    await sink.until(() => sink.events.length === 1);
    const cut = await connected(portOf(source, 'tcp'));
    const cutOff = closed(cut);
    cut.end('100 <13>half');
    await cutOff;
    (await connected(portOf(source, 'tcp'))).end('<13>after');
    await sink.until(() => sink.events.length === 2);
    expect(sink.texts).toEqual(['whole', 'after']);
    expect(source.stats().dropped).toMatchObject({ malformed: 1 });
  });

  test('whose line never ends is cut off, its beginning kept and counted; others go on', async () => {
    const { source, sink } = await listening();
    const endless = await connected(portOf(source, 'tcp'));
    const other = await connected(portOf(source, 'tcp'));
    const cutOff = closed(endless);
    endless.write('x'.repeat(8 * syslogFrameBytesMax));
    await cutOff;
    await sink.until(() => sink.events.length === 1);
    expect(sink.events[0]?.origin.raw.length).toBe(syslogMessageBytesMax);
    other.write('<13>still here\n');
    await sink.until(() => sink.events.length === 2);
    expect(source.stats().dropped).toMatchObject({ 'too-long': 1 });
  });

  test('that lies about its counts loses its own messages only', async () => {
    const { source, sink } = await listening();
    const liar = await connected(portOf(source, 'tcp'));
    const other = await connected(portOf(source, 'tcp'));
    liar.write('90000 <13>a\n');
    other.write('<13>b\n');
    await sink.until(() => sink.events.length === 1);
    liar.write(`2 <13>c\n99999999999999999999 <13>d\n`);
    const over = closed(liar);
    liar.end();
    await over;
    expect(sink.texts).toEqual(['b']);
  });
});

describe('what is missed', () => {
  test('because the sink has no room is counted, and told within a second', async () => {
    const { source, sink, time } = await listening();
    sink.hasRoom = false;
    await datagrams(portOf(source, 'udp'), ['<13>a', '<13>b']);
    await sink.until(() => sink.offers.reduce((sum, each) => sum + each, 0) === 2);
    expect(source.stats()).toMatchObject({ received: 2, dropped: { 'no-room': 2 } });
    time.pass(kernelDropsMs);
    await sink.until(() => sink.gaps.length === 1);
    expect(sink.gaps).toEqual([{ reason: 'dropped 2 messages for want of room', targets: undefined }]);
  });

  test("on the way shows in the sender's count, and is told of that target", async () => {
    const { source, sink, time } = await listening({ udp: loopback, targetOf: () => 'edge1' });
    const counted = [46, 47, 50, 51, 60].map((count) => hsrp.replace('46', String(count)));
    await datagrams(portOf(source, 'udp'), counted);
    await sink.until(() => sink.events.length === 5);
    expect(sink.gaps).toEqual([{ reason: 'nx2 at 127.0.0.1: messages 48 to 49 did not come (2)', targets: ['edge1'] }]);
    time.pass(gapIntervalMs);
    time.pass(kernelDropsMs);
    await sink.until(() => sink.gaps.length === 2);
    expect(sink.gaps[1]?.reason).toBe('nx2 at 127.0.0.1: messages 52 to 59 did not come (8)');
  });

  test('shows in IOS sequence numbers too, where there is no other count', async () => {
    const { source, sink } = await listening({ udp: loopback });
    const numbered = ['000048', '000050'].map((count) => `<189>${count}: *Nov 23 03:31:09.857: %SYS-5-A: x`);
    await datagrams(portOf(source, 'udp'), numbered);
    await sink.until(() => sink.events.length === 2);
    expect(sink.gaps).toEqual([{ reason: '127.0.0.1: message 49 did not come', targets: undefined }]);
  });

  test('behind one relay is told of each device apart', async () => {
    const { source, sink } = await listening();
    await datagrams(portOf(source, 'udp'), [hsrp, hsrp.replace('46: nx2', '9000: nx3'), hsrp.replace('46', '47')]);
    await sink.until(() => sink.events.length === 3);
    expect(sink.gaps).toEqual([]);
  });

  test('in the kernel is counted, and told as it rises', async () => {
    const { source, sink, time } = await listening();
    const line = (drops: number) =>
      `  1: 0100007F:${portOf(source, 'udp').toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 07 0:0 00:0 0 0 0 4711 2 0 ${drops}\n`;
    kernel.proc = line(7);
    time.pass(kernelDropsMs);
    await sink.until(() => sink.gaps.length === 1);
    kernel.proc = line(10);
    await time.awaited(kernelDropsMs);
    time.pass(kernelDropsMs);
    await sink.until(() => sink.gaps.length === 2);
    expect(sink.gaps.map(({ reason }) => reason)).toEqual(['kernel dropped 7 datagrams', 'kernel dropped 3 datagrams']);
    expect(source.stats().dropped).toMatchObject({ kernel: 10 });
    kernel.proc = undefined;
  });
});

describe('starting and stopping', () => {
  test('says where it listens and what buffer it got', async () => {
    const { source } = await listening();
    expect(source.stats().listening).toEqual([
      `udp 127.0.0.1:${portOf(source, 'udp')}`,
      `tcp 127.0.0.1:${portOf(source, 'tcp')}`,
    ]);
    expect(source.receiveBufferBytes()).toBeGreaterThan(0);
  });

  test.each(['udp', 'tcp'] as const)('a taken %s port is refused with a remedy, and nothing stays open', async (transport) => {
    const { source } = await listening({ [transport]: loopback });
    const other = transport === 'udp' ? 'tcp' : 'udp';
    const port = portOf(source, transport);
    const second = syslogSource({ wall: realWall, [other]: loopback, [transport]: { host: '127.0.0.1', port } });
    const refusal = await second.start(new Remembering()).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OperatorError);
    expect(String(refusal)).toMatch(`[source-syslog] cannot listen on ${transport} 127.0.0.1:${port}: `);
    expect(String(refusal)).toMatch(`ss -lpn 'sport = :${port}'`);
    await second.stop();
    expect(second.stats().listening).toEqual([]);
  });

  test('a UDP port is free again when the TCP port beside it was refused', async () => {
    const { source } = await listening({ tcp: loopback });
    const { source: earlier } = await listening({ udp: loopback });
    const udp = { host: '127.0.0.1', port: portOf(earlier, 'udp') };
    await earlier.stop();
    const refused = syslogSource({ wall: realWall, udp, tcp: { host: '127.0.0.1', port: portOf(source, 'tcp') } });
    await expect(refused.start(new Remembering())).rejects.toThrow(OperatorError);
    await listening({ udp });
  });

  test('an address of another machine is refused with a remedy', async () => {
    const source = syslogSource({ wall: realWall, udp: { host: '192.0.2.1', port: 0 } });
    await expect(source.start(new Remembering())).rejects.toThrow(/none of this machine/);
  });

  test('without an address there is nothing to listen on', async () => {
    await expect(syslogSource({ wall: realWall }).start(new Remembering())).rejects.toThrow(OperatorError);
  });

  test('stopping hands on what was received, and cuts the senders off', async () => {
    const { source, sink } = await listening();
    const socket = await connected(portOf(source, 'tcp'));
    const cutOff = closed(socket);
    socket.write('<13>a\n<13>b\n<13>c');
    await sink.until(() => sink.events.length === 2);
    await source.stop();
    await cutOff;
    expect(sink.texts).toEqual(['a', 'b', 'c']);
    expect(source.stats()).toMatchObject({ listening: [], received: 3 });
  });

  test('stopping while it starts leaves nothing behind', async () => {
    const source = syslogSource({ wall: realWall, udp: loopback });
    const started = source.start(new Remembering());
    await source.stop();
    await started;
    expect(source.stats().listening).toEqual([]);
  });
});
