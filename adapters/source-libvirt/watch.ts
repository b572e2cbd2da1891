// Owns: watching one hypervisor: connect, register, list, then event by event; and again after every loss.
//
// W1. Registered BEFORE listed: what happens meanwhile waits in the queue and is told after the listing.
// W2. One hypervisor's events are told in the order they came, also where an XML is read in between.
// W3. Nothing is dropped in silence: with no room the connection is cut, which the next listing mends.
import { TargetError, toldOf } from '../../src/model/errors.ts';
import type { Event } from '../../src/model/event.ts';
import {
  libvirtDomainsMax,
  libvirtEventsMax,
  libvirtRoomMs,
  libvirtStableMs,
  reconnectFirstMs,
  reconnectLastMs,
} from '../../src/model/limits.ts';
import { secondsText } from '../../src/model/time.ts';
import type { Secrets } from '../../src/ports/actuator.ts';
import type { Sink } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { DomainDescription } from '../libvirt-rpc/domain-xml.ts';
import { connectLibvirt, type LibvirtClient, type LibvirtPeer, readDomain, refusedAs } from '../libvirt-rpc/index.ts';
import { type Domain, type EventName, events, procedures, type RemoteEvent } from '../libvirt-rpc/protocol.ts';
import { inOrder, type Turns } from '../libvirt-rpc/turns.ts';
import { Known } from './known.ts';
import { listedReading, type Observed, observedReading, type Reading, readingOf, requestReading, wantsXml } from './meanings.ts';
import { Queue } from './queue.ts';

/** What we register for; a libvirtd too old for one of them does without. */
const wanted: readonly EventName[] = [
  'lifecycle',
  'migration-iteration',
  'job-completed',
  'metadata-change',
  'device-added',
  'device-removed',
  'agent-lifecycle',
  'control-error',
];

export interface WatchOptions {
  readonly wall: Wall;
  readonly secrets: Secrets;
  readonly sink: Sink;
  /** Shared by all hypervisors: a listing is work. */
  readonly listings: Turns;
  readonly random: () => number;
  /** Counts what came, and what there was no room for. */
  readonly count: (what: 'received' | 'overflow') => void;
}

export class Watch {
  readonly #peer: LibvirtPeer;
  readonly #options: WatchOptions;
  readonly #stopped = new AbortController();
  /** By UUID, of domains that were here: where the mark asks them to go; empty where they bear none. One that came with it asked elsewhere. */
  #marks: Map<string, string> | undefined;
  /** Of this connection. */
  readonly #known: Known;
  #listening = false;
  #client: LibvirtClient | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(peer: LibvirtPeer, options: WatchOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#known = new Known(options.random);
  }

  /** `unix kvm1` while it is connected and listed. */
  get listening(): string | undefined {
    return this.#listening ? `${this.#peer.access.transport} ${this.#peer.name}` : undefined;
  }

  /** `afterMs`: not all of them connect at the same moment. */
  start(afterMs: number): void {
    this.#done = this.#run(afterMs);
  }

  /** Nothing more of it is read for now. */
  pause(): void {
    this.#client?.pause();
  }

  resume(): void {
    this.#client?.resume();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('stopping'));
    await this.#done;
  }

  async #run(afterMs: number): Promise<void> {
    const { wall, sink, random } = this.#options;
    const { signal } = this.#stopped;
    const { name } = this.#peer;
    let waitMs = afterMs;
    let failures = 0;
    let awaySince: number | undefined;
    while (!signal.aborted) {
      await wall.sleep(waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const beganMs = wall.monotonic();
      const back = (): void => {
        if (awaySince !== undefined) sink.gap(`${name} was away for ${secondsText(wall.monotonic() - awaySince)}`, [name]);
        awaySince = undefined;
      };
      const error = await this.#session(back).catch((thrown: unknown) => thrown);
      if (signal.aborted) return;
      failures = wall.monotonic() - beganMs > libvirtStableMs ? 1 : failures + 1;
      if (awaySince === undefined) {
        awaySince = wall.monotonic();
        sink.gap(`${name} is out of sight: ${toldOf(error).replace(/^\[[\w-]+\] /, '')}`, [name]);
      }
      const backoff = Math.min(reconnectLastMs, reconnectFirstMs * 2 ** (failures - 1));
      // Half of it at least, so that 500 that went together do not come back together.
      waitMs = backoff * (0.5 + random() / 2);
    }
  }

  /** From connecting to the end of the connection; resolves or rejects with what ended it. */
  async #session(back: () => void): Promise<unknown> {
    const { count, listings } = this.#options;
    const { signal } = this.#stopped;
    const queue = new Queue<RemoteEvent>(libvirtEventsMax);
    this.#known.clear();
    let client: LibvirtClient | undefined;
    const event = (each: RemoteEvent): void => {
      count('received');
      // W2: only where none waits before it.
      if ((queue.idle && this.#tellNow(each)) || queue.push(each)) return;
      count('overflow');
      client?.fail(overflow(this.#peer.name));
    };
    client = await connectLibvirt(this.#peer, { ...this.#options, mode: 'read-only', event }, signal);
    const open = client;
    this.#client = open;
    const stop = (): void => void open.close();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void open.ended.then(() => queue.close());
    try {
      await this.#register(open);
      await listings.take(() => this.#list(open, back));
      for (let next = await queue.take(); next; next = await queue.take()) await this.#tell(open, next);
      return await open.ended;
    } finally {
      this.#listening = false;
      this.#client = undefined;
      signal.removeEventListener('abort', stop);
      await open.close();
    }
  }

  async #register(client: LibvirtClient): Promise<void> {
    const refusals = await Promise.all(
      wanted.map((name) =>
        client.call(procedures.registerEvent, { eventId: events[name].id, dom: null }).then(
          () => undefined,
          (error: unknown) => ({ name, error }),
        ),
      ),
    );
    // Without the lifecycle nothing is worth watching; the others came later, one by one.
    const lost = refusals.find((each) => each && (each.name === 'lifecycle' || !isRefusal(each.error)));
    if (lost) throw lost.error;
  }

  async #list(client: LibvirtClient, back: () => void): Promise<void> {
    const { domains } = await client.call(procedures.listAllDomains, { needResults: 1, flags: 0 });
    if (domains.length > libvirtDomainsMax) throw crowded(this.#peer.name, domains.length);
    back();
    // Two calls each, and so many are under way at once.
    const found = await inOrder(domains, 2, (dom) => this.#observe(client, dom));
    const there = found.filter((each) => each !== 'gone');
    const observed = there.flatMap((each) => ('description' in each ? [each] : []));
    const readings = observed.map((each) => observedReading(each, 'listed'));
    const before = this.#marks;
    const asked = observed.filter(({ dom, description: { request } }) => {
      return before?.has(dom.uuid) && request && request.to !== this.#peer.name && before.get(dom.uuid) !== request.to;
    });
    this.#marks = new Map(observed.map(({ dom, description: { request } }) => [dom.uuid, request?.to ?? ''] as const));
    const all = [
      ...readings,
      listedReading(there.map((each) => ('description' in each ? each.dom : each))),
      ...asked.map(requestReading),
    ];
    this.#listening = true;
    await this.#offer(all, 'resync');
  }

  /** The domain alone where its state or XML cannot be had now (its monitor hangs): it is there, and that is all we know. */
  async #observe(client: LibvirtClient, dom: Domain): Promise<Observed | Domain | 'gone'> {
    try {
      const [{ state, reason }, { xml }] = await Promise.all([
        client.call(procedures.getState, { dom, flags: 0 }),
        client.call(procedures.getXmlDesc, { dom, flags: 0 }),
      ]);
      const description = readDomain(xml);
      // Whoever looks tells what he saw.
      this.#known.add(dom.uuid, this.#options.wall.monotonic());
      return { dom, state, reason, description };
    } catch (error) {
      if (refusedAs(error, 'no-domain')) return 'gone';
      if (isRefusal(error) || refusedAs(error, 'no-answer')) return dom;
      throw error;
    }
  }

  async #tell(client: LibvirtClient, event: RemoteEvent): Promise<void> {
    const { kind, dom } = event;
    if (kind === 'device-added' || kind === 'device-removed') {
      const seen = await this.#observe(client, dom).catch(() => dom);
      if (seen === 'gone' || !('description' in seen)) {
        this.#known.delete(dom.uuid);
        await this.#offer([readingOf(event, undefined)]);
      } else await this.#offer([{ ...observedReading(seen, `${kind} ${event.alias}`) }]);
      return;
    }
    const description = this.#mustRead(event) ? await this.#describe(client, dom) : undefined;
    if (description) this.#note(dom.uuid, description.request?.to ?? '');
    if (kind === 'lifecycle') this.#learn(event, description);
    await this.#offer([readingOf(event, description)]);
  }

  /** False where it has to wait: for an XML, or for room. */
  #tellNow(event: RemoteEvent): boolean {
    const { kind } = event;
    if (kind === 'device-added' || kind === 'device-removed' || this.#mustRead(event)) return false;
    if (!this.#options.sink.offer([this.#eventOf(readingOf(event, undefined))])) return false;
    if (kind === 'lifecycle') this.#learn(event, undefined);
    return true;
  }

  #mustRead(event: RemoteEvent): boolean {
    const wanted = wantsXml(event);
    return wanted === 'always' || (wanted === 'unless known' && !this.#known.has(event.dom.uuid, this.#options.wall.monotonic()));
  }

  /** What was read is known; of what began or ended and could not be read, nothing is. */
  #learn(event: RemoteEvent, description: DomainDescription | undefined): void {
    const { uuid } = event.dom;
    if (description) this.#known.add(uuid, this.#options.wall.monotonic());
    else if (wantsXml(event) !== 'unless known') this.#known.delete(uuid);
  }

  async #describe(client: LibvirtClient, dom: Domain): Promise<DomainDescription | undefined> {
    try {
      return readDomain((await client.call(procedures.getXmlDesc, { dom, flags: 0 })).xml);
    } catch {
      // Gone meanwhile, cut off or unreadable: the event is told without.
      return undefined;
    }
  }

  #note(uuid: string, to: string): void {
    this.#marks ??= new Map();
    if (this.#marks.has(uuid) || this.#marks.size < libvirtDomainsMax) this.#marks.set(uuid, to);
  }

  /** Where the sink has no room it is offered again: meanwhile the queue fills, and when that is full, W3. */
  async #offer(readings: readonly Reading[], because?: 'resync'): Promise<void> {
    const { sink, wall } = this.#options;
    const told = readings.map((reading) => ({ ...this.#eventOf(reading), ...(because ? { because } : {}) }));
    while (!sink.offer(told) && !this.#stopped.signal.aborted) {
      await wall.sleep(libvirtRoomMs, this.#stopped.signal).catch(() => undefined);
    }
  }

  #eventOf({ meaning, raw }: Reading): Event {
    const { access, address, name } = this.#peer;
    const trust = access.transport === 'tcp' ? 'claimed' : 'authenticated';
    return { target: name, meaning, origin: { source: 'libvirt', peer: address, transport: access.transport, trust, raw } };
  }
}

/** libvirt said no, to this call alone. */
const isRefusal = (thrown: unknown): boolean => thrown instanceof TargetError && !thrown.retry;

function overflow(name: string): TargetError {
  return new TargetError(`[source-libvirt] ${name} says more than can be told: ${libvirtEventsMax} events wait`, {
    code: 'overflow',
    retry: true,
    remedy: 'It is listed anew. See what its domains do, and whether the journal keeps up.',
  });
}

function crowded(name: string, count: number): TargetError {
  return new TargetError(`[source-libvirt] ${name} has ${count} domains, more than ${libvirtDomainsMax}`, {
    code: 'too-many-domains',
    retry: false,
    remedy: 'Undefine those that nobody needs.',
  });
}
