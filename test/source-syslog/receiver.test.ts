// The receiving thread: a full ring holds TCP senders up and drops datagrams counted; its death is told, and mended.
import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { eventOf, messageOf } from '../../adapters/source-syslog/read.ts';
import { type RingCounter, RingReader, ringMemory } from '../../adapters/source-syslog/ring.ts';
import { startReceiver } from '../../adapters/source-syslog/thread.ts';
import { reconnectFirstMs } from '../../src/model/limits.ts';
import { connected, datagrams, listening, loopback, portOf } from './harness.ts';

const threads = vi.hoisted(() => ({ started: [] as Worker[], broken: false }));
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  class Watched extends real.Worker {
    constructor(...[file, options]: ConstructorParameters<typeof real.Worker>) {
      super(threads.broken ? new URL('data:text/javascript,throw new Error("broken")') : file, options);
      threads.started.push(this);
    }
  }
  return { ...real, Worker: Watched };
});

/** The thread alone, with a ring of so many bytes that is read only when the test reads it. */
async function receiverWith(bytes: number) {
  const memory = ringMemory(bytes);
  const ring = new RingReader(memory);
  const bell: { ring: () => void } = { ring: () => undefined };
  const receiver = await startReceiver({ udp: loopback, tcp: loopback, ring: memory, platforms: new Map() }, () => bell.ring());
  onTestFinished(async () => {
    receiver.order('stop');
    await receiver.ended;
  });
  const totals = new Map<RingCounter, number>();
  const total = (what: RingCounter) => {
    totals.set(what, (totals.get(what) ?? 0) + ring.counted(what));
    return totals.get(what)!;
  };
  return { receiver, ring, bell, total };
}

describe('a full ring', () => {
  test('holds a TCP sender up: nothing of 4 MB is lost through 64 kB', async () => {
    const { receiver, ring, bell, total } = await receiverWith(65_536);
    const lines = 40_000;
    const filler = 'x'.repeat(90);
    let next = 0;
    const all = new Promise<void>((resolve) => {
      bell.ring = () => {
        do {
          for (let record = ring.read(); record !== null; record = ring.read()) {
            const text = eventOf(messageOf(record)).syslog?.text;
            if (text !== `${next} ${filler}`) throw new Error(`line ${next} came as ${text}`);
            next += 1;
            if (ring.roomWanted()) receiver.order('room');
          }
        } while (!ring.sleep());
        if (next === lines) resolve();
      };
    });
    const socket = await connected(receiver.bound.tcp!.port);
    for (let line = 0; line < lines; line += 1) socket.write(`<13>${line} ${filler}\n`);
    await all;
    expect([total('received'), total('no-room')]).toEqual([lines, 0]);
  });

  test('drops datagrams and counts each', async () => {
    const { receiver, ring, total } = await receiverWith(4_096);
    await datagrams(receiver.bound.udp!.port, Array<string>(200).fill(`<13>${'x'.repeat(90)}`));
    while (total('received') < 200) await turn();
    let kept = 0;
    while (ring.read() !== null) kept += 1;
    expect(kept).toBeGreaterThan(10);
    expect(total('no-room')).toBe(200 - kept);
  });
});

describe('a thread that dies', () => {
  test('is told as a gap and started again where it listened', async () => {
    const { source, sink, time } = await listening();
    const before = source.stats().listening;
    await datagrams(portOf(source, 'udp'), ['<13>before']);
    await sink.until(() => sink.events.length === 1);
    await threads.started.at(-1)!.terminate();
    await sink.until(() => sink.gaps.length === 1);
    expect(sink.gaps[0]?.reason).toMatch(/^the syslog receiver stopped: it ended with code 1/);
    expect(source.stats().listening).toEqual([]);

    time.pass(reconnectFirstMs);
    await sink.until(() => sink.gaps.length === 2);
    expect(sink.gaps[1]?.reason).toBe('the syslog receiver was down for 0.250 s');
    expect(source.stats().listening).toEqual(before);
    await datagrams(portOf(source, 'udp'), ['<13>after']);
    await sink.until(() => sink.events.length === 2);
    expect(sink.texts).toEqual(['before', 'after']);
  });

  test('again and again is started ever more slowly', async () => {
    const { source, sink, time } = await listening();
    threads.broken = true;
    onTestFinished(() => {
      threads.broken = false;
    });
    await threads.started.at(-1)!.terminate();
    for (const wait of [reconnectFirstMs, 2 * reconnectFirstMs]) {
      await time.awaited(wait);
      threads.broken = wait === reconnectFirstMs;
      time.pass(wait);
    }
    await sink.until(() => sink.gaps.length === 2);
    expect(sink.gaps[1]?.reason).toBe('the syslog receiver was down for 0.750 s');
    expect(source.stats().listening.length).toBe(2);
  });
});
