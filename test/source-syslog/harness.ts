// A sink that remembers, a wall whose long waits the test ends itself, and senders on loopback.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type SyslogSourceOptions, syslogSource } from '../../adapters/source-syslog/index.ts';
import type { Event } from '../../src/model/event.ts';
import { syslogFloodLookMs } from '../../src/model/limits.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { realWall } from '../../src/runtime/wall.ts';

export class Remembering implements Sink {
  readonly events: Event[] = [];
  readonly gaps: { readonly reason: string; readonly targets: readonly string[] | undefined }[] = [];
  readonly offers: number[] = [];
  hasRoom = true;
  readonly #waiting = new Set<() => void>();

  offer(events: readonly Event[], committed?: (error?: Error) => void): boolean {
    this.offers.push(events.length);
    if (this.hasRoom) {
      this.events.push(...events);
      queueMicrotask(() => committed?.());
    }
    for (const look of this.#waiting) look();
    return this.hasRoom;
  }

  gap(reason: string, targets?: readonly string[]): void {
    this.gaps.push({ reason, targets });
    for (const look of this.#waiting) look();
  }

  get texts(): readonly (string | undefined)[] {
    return this.events.map(({ syslog }) => syslog?.text);
  }

  /** Resolves as soon as it is so. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Real, but what waits longer than a turn of the loop waits for `pass`. */
export function patientWall() {
  let due: { readonly ms: number; readonly callback: () => void }[] = [];
  const looks = new Set<() => void>();
  let monotonic = 0;
  const wall: Wall = {
    ...realWall,
    monotonic: () => monotonic,
    after(ms, callback) {
      if (ms <= syslogFloodLookMs) return realWall.after(ms, callback);
      const wait = { ms, callback };
      due.push(wait);
      for (const look of looks) look();
      return () => {
        due = due.filter((each) => each !== wait);
      };
    },
  };
  return {
    wall,
    /** Resolves when somebody waits for exactly so long. */
    awaited: (ms: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!due.some((each) => each.ms === ms)) return;
          looks.delete(look);
          resolve();
        };
        looks.add(look);
        look();
      }),
    /** Ends the waits of exactly so long. */
    pass(ms: number) {
      monotonic += ms;
      const ripe = due.filter((each) => each.ms === ms);
      due = due.filter((each) => each.ms !== ms);
      for (const { callback } of ripe) callback();
    },
  };
}

export const loopback = { host: '127.0.0.1', port: 0 };

export const portOf = (source: Source, transport: 'udp' | 'tcp') =>
  Number(/(\d+)$/.exec(source.stats().listening.find((each) => each.startsWith(transport)) ?? '')?.[1]);

/** A source that listens, stopped when the test is over. */
export async function listening(options: Partial<SyslogSourceOptions> = { udp: loopback, tcp: loopback }) {
  const time = patientWall();
  const source = syslogSource({ wall: time.wall, ...options });
  const sink = new Remembering();
  await source.start(sink);
  onTestFinished(() => source.stop());
  return { source, sink, time };
}

/** Sends datagrams to a port of loopback, in order. */
export async function datagrams(port: number, messages: readonly (string | Uint8Array)[], host = '127.0.0.1'): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (const message of messages) {
    await new Promise<void>((resolve, reject) =>
      socket.send(message, port, host, (error) => (error ? reject(error) : resolve())),
    );
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

/** A TCP sender that tells when it was closed, by whomever. */
export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => undefined); // a reset is an end like another
  socket.resume();
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Resolves when the socket is closed, by whomever and however. */
export const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));
