// Owns: the syslog source: starts the receiving thread, turns what it brings into events, and tells what may have been
// missed: the kernel's drops, our own, jumps in the senders' counts, and the thread's death.
import { readFile } from 'node:fs/promises';
import { OperatorError } from '../../src/model/errors.ts';
import type { Event } from '../../src/model/event.ts';
import {
  appendEntriesMax,
  kernelDropsMs,
  reconnectFirstMs,
  reconnectLastMs,
  syslogBurstDatagrams,
  syslogBurstLookMs,
  syslogFloodEvents,
  syslogFloodLookMs,
  syslogRingBytes,
  syslogUncommittedMax,
} from '../../src/model/limits.ts';
import { secondsText } from '../../src/model/time.ts';
import type { EventBrief } from '../../src/model/written-event.ts';
import type { Sink, Source, SourceStats } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { Gaps } from './gaps.ts';
import { kernelDrops, procFileOf } from './kernel-drops.ts';
import { eventOf, messageOf, type ReadMessage, readMessage } from './read.ts';
import { type RingCounter, RingReader, ringMemory } from './ring.ts';
import { Sequences } from './sequence.ts';
import { type Bound, type ListenOn, type Platforms, type Receiver, startReceiver } from './thread.ts';

export { type DecodedSyslog, decodeSyslog } from './decode.ts';
export { parseSyslog } from './wire.ts';

export interface SyslogSourceOptions {
  readonly udp?: ListenOn;
  readonly tcp?: ListenOn;
  readonly wall: Wall;
  /** By a sender's address its platform: its own readings of a message come first. */
  readonly platforms?: Platforms;
  /** The sender's name in the inventory: a gap in its messages is then told of that target alone. */
  readonly targetOf?: (peer: string) => string | undefined;
}

export interface SyslogSource extends Source {
  /** Bytes the kernel granted of the UDP receive buffer asked for; absent before it listens and without UDP. */
  receiveBufferBytes(): number | undefined;
}

export function syslogSource(options: SyslogSourceOptions): SyslogSource {
  return new Syslog(options);
}

/** Events handed on before the loop turns once: other sources, sessions and timers must have their turn in a flood. */
const turnEventsMax = 4 * appendEntriesMax;

class Syslog implements SyslogSource {
  readonly name = 'syslog';
  readonly #options: SyslogSourceOptions;
  readonly #memory = ringMemory(syslogRingBytes);
  readonly #ring = new RingReader(this.#memory);
  readonly #sequences = new Sequences();
  readonly #totals = { received: 0, kernel: 0, 'no-room': 0, 'too-long': 0, malformed: 0, connections: 0 };
  #sink: Sink | undefined;
  #gaps: Gaps | undefined;
  #receiver: Receiver | undefined;
  /** The ports once bound: a restarted receiver must listen where the first did. */
  #bound: Bound = {};
  #kernelSeen = 0;
  #noRoomTold = 0;
  #turnEvents = 0;
  /** Since it last rested. */
  #datagrams = 0;
  /** Until it looks again, in a flood. */
  #resting = false;
  /** Handed on and not yet durable. What is beyond the bound waits in the ring: bytes, not objects that age on the heap. */
  #uncommitted = 0;
  #stopping = false;
  #restartMs = reconnectFirstMs;
  /** Settles when no thread is being started. */
  #starting: Promise<unknown> = Promise.resolve();
  readonly #cancels = new Map<'turn' | 'tick' | 'restart', () => void>();

  constructor(options: SyslogSourceOptions) {
    this.#options = options;
  }

  async start(sink: Sink): Promise<void> {
    if (!this.#options.udp && !this.#options.tcp) {
      throw new OperatorError('[source-syslog] neither udp nor tcp is given', {
        code: 'nothing-to-listen-on',
        remedy: 'Give the syslog source an address, such as udp: 0.0.0.0:5514.',
      });
    }
    this.#sink = sink;
    this.#gaps = new Gaps(sink, this.#options.wall);
    const listening = this.#listen();
    this.#starting = listening.catch(() => undefined);
    await listening;
    this.#later('tick', kernelDropsMs, () => void this.#tick());
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    await this.#starting;
    await this.#readKernelDrops();
    this.#receiver?.order('stop');
    await this.#receiver?.ended;
    this.#receiver = undefined;
    while (this.#handOn() > 0);
    this.#tellDropped();
  }

  stats(): SourceStats {
    this.#addUp();
    const { received, ...dropped } = this.#totals;
    const bound = this.#receiver?.bound;
    const listening = (['udp', 'tcp'] as const).flatMap((transport) => {
      const at = bound?.[transport];
      return at ? [`${transport} ${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`] : [];
    });
    return { listening, received, dropped };
  }

  receiveBufferBytes(): number | undefined {
    return this.#receiver?.bound.udp?.receiveBufferBytes;
  }

  async #listen(): Promise<void> {
    const { udp, tcp, wall } = this.#options;
    const request = {
      ...(udp && { udp: { ...udp, port: this.#bound.udp?.port ?? udp.port } }),
      ...(tcp && { tcp: { ...tcp, port: this.#bound.tcp?.port ?? tcp.port } }),
      ring: this.#memory,
      platforms: this.#options.platforms ?? new Map(),
    };
    const receiver = await startReceiver(request, () => this.#drain());
    this.#receiver = receiver;
    this.#bound = receiver.bound;
    this.#kernelSeen = 0;
    const since = wall.monotonic();
    void receiver.ended.then((error) => {
      if (wall.monotonic() - since > reconnectLastMs) this.#restartMs = reconnectFirstMs;
      if (!this.#stopping) this.#restart(error);
    });
  }

  /** The thread died: what is in the ring is handed on, the rest is a gap, and it is started again, with backoff. */
  #restart(error: Error | undefined): void {
    const { wall } = this.#options;
    const downSince = wall.monotonic();
    this.#receiver = undefined;
    this.#drain();
    this.#sink?.gap(`the syslog receiver stopped: ${error?.message ?? 'it ended'}; it is started again`);
    const again = () => {
      this.#later('restart', this.#restartMs, () => {
        this.#starting = this.#listen().then(
          () => this.#sink?.gap(`the syslog receiver was down for ${secondsText(wall.monotonic() - downSince)}`),
          again,
        );
      });
      this.#restartMs = Math.min(this.#restartMs * 2, reconnectLastMs);
    };
    again();
  }

  #later(what: 'turn' | 'tick' | 'restart', ms: number, callback: () => void): void {
    if (this.#stopping) return;
    this.#cancels.get(what)?.();
    this.#cancels.set(
      what,
      this.#options.wall.after(ms, () => {
        this.#cancels.delete(what);
        callback();
      }),
    );
  }

  /**
   * Hands on what is in the ring, a turn's worth at most, then lets the loop turn. In a flood it does not ask for a bell when
   * the ring is empty but looks again a little later: a message between threads costs as much as many lines, and so does an
   * append.
   */
  #drain(): void {
    if (this.#resting) return;
    while (this.#turnEvents < turnEventsMax && this.#uncommitted < syslogUncommittedMax) {
      const events = this.#handOn();
      this.#turnEvents += events;
      this.#resting = events === 0 && this.#turnEvents >= syslogFloodEvents;
      if (this.#resting) this.#later('turn', this.#restMs(), () => this.#nextTurn());
      if (this.#resting || (events === 0 && this.#ring.sleep())) return;
      // Bells come in one turn of the loop as long as there are any: only a timer tells that it has turned.
      if (!this.#cancels.has('turn')) this.#later('turn', 0, () => this.#nextTurn());
    }
  }

  /** Datagrams in such number are a burst that uses up a core by being received: whoever reads them keeps away meanwhile. */
  #restMs(): number {
    const burst = this.#datagrams >= syslogBurstDatagrams && this.#ring.filled() < 1 / 2;
    this.#datagrams = 0;
    return burst ? syslogBurstLookMs : syslogFloodLookMs;
  }

  #nextTurn(): void {
    const again = this.#resting || this.#turnEvents >= turnEventsMax;
    this.#resting = false;
    this.#turnEvents = 0;
    if (again) this.#drain();
  }

  /** One batch from the ring to the sink; how many events it had. */
  #handOn(): number {
    const events: Event[] = [];
    while (events.length < appendEntriesMax) {
      const record = this.#ring.read();
      if (record === null) break;
      events.push(this.#eventOf(record));
    }
    if (this.#ring.roomWanted()) this.#receiver?.order('room');
    if (events.length > 0) this.#offer(events);
    return events.length;
  }

  #offer(events: readonly Event[]): void {
    const committed = (): void => {
      this.#uncommitted -= events.length;
      // Not at once: whoever commits sends the next append first, and it is written while we parse.
      queueMicrotask(() => this.#drain());
    };
    this.#uncommitted += events.length;
    if (this.#sink?.offer(events, committed) === true) return;
    this.#uncommitted -= events.length;
    this.#totals['no-room'] += events.length;
  }

  /** A record is `udp 192.0.2.1 <189>46: …` (or `tcp`), or a message that was read already. */
  #eventOf(record: string): Event {
    const message = record.startsWith('read') ? messageOf(record) : this.#read(record);
    const { counter, brief } = message;
    if (counter !== undefined) this.#countOn(brief, counter);
    return eventOf(message);
  }

  #read(record: string): ReadMessage {
    const space = record.indexOf(' ', 4);
    const transport = record.startsWith('udp') ? 'udp' : 'tcp';
    if (transport === 'udp') this.#datagrams += 1;
    const peer = record.slice(4, space);
    return readMessage(transport, peer, record.slice(space + 1), this.#options.platforms?.get(peer));
  }

  /** A sender's count that jumps tells what was lost. */
  #countOn({ peer, host }: EventBrief, counter: number): void {
    const missed = this.#sequences.missed(host === null ? peer : `${peer} ${host}`, counter);
    if (missed !== null)
      this.#gaps?.tell(`${host === null ? peer : `${host} at ${peer}`}: ${missed}`, this.#options.targetOf?.(peer));
  }

  /** Once a second: what the kernel dropped, what we dropped, what waited to be told. */
  async #tick(): Promise<void> {
    await this.#readKernelDrops();
    this.#tellDropped();
    this.#gaps?.flush();
    this.#later('tick', kernelDropsMs, () => void this.#tick());
  }

  #tellDropped(): void {
    this.#addUp();
    const dropped = this.#totals['no-room'] - this.#noRoomTold;
    this.#noRoomTold += dropped;
    if (dropped > 0) this.#sink?.gap(`dropped ${dropped} messages for want of room`);
  }

  async #readKernelDrops(): Promise<void> {
    const at = this.#receiver?.bound.udp;
    if (!at) return;
    const socket = { address: at.host, port: at.port };
    // Elsewhere than on Linux there is no such file, and no such count.
    const drops = kernelDrops(await readFile(procFileOf(socket), 'latin1').catch(() => ''), socket);
    if (drops === undefined) return;
    const rise = drops - this.#kernelSeen;
    this.#kernelSeen = drops;
    if (rise <= 0) return;
    this.#totals.kernel += rise;
    this.#sink?.gap(`kernel dropped ${rise} datagrams`);
  }

  #addUp(): void {
    for (const what of ['received', 'no-room', 'too-long', 'malformed', 'connections'] satisfies RingCounter[]) {
      this.#totals[what] += this.#ring.counted(what);
    }
  }
}
