// Owns: one connection to a simulated libvirtd: calls in, replies and events out, keepalive both ways. Sans sockets.
//
// L1 Replies carry their call's serial and may overtake each other; events come between them.
// L2 What is no message ends the connection at once; what is a message and no call we know is answered with libvirt's error.
// L3 Everything that can wait is bounded: calls that are not answered, and bytes that are not taken.
import {
  encodeError,
  encodeEvent,
  encodeKeepalive,
  encodeMessage,
  events,
  Framing,
  keepaliveProcedures,
  lifecycleNumbers,
  type Message,
  messageTypes,
  metadataTypes,
  programs,
  protocolVersion,
  type RemoteError,
  type RemoteEvent,
  statuses,
} from '../../adapters/libvirt-rpc/protocol.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { type DomainEvent, jobParams } from '../model/virt/domain.ts';
import { LibvirtRefusal } from '../model/virt/refusal.ts';
import type { CallContext, Handler } from './libvirt-call.ts';
import { domainCalls } from './libvirt-calls.ts';
import { hostCalls } from './libvirt-host-calls.ts';

/** The largest call is a definition's XML, some 10 kB: a real libvirtd takes 32 MiB. */
const callBytesMax = 1_048_576;
/** Calls of one connection under way; a real libvirtd lets five run and keeps the rest. */
const callsMax = 64;
/** libvirtd.conf: keepalive_interval and keepalive_count. */
const keepaliveMs = 5_000;
const keepaliveCount = 5;

const handlers: ReadonlyMap<number, Handler> = new Map([...domainCalls, ...hostCalls].map((each) => [each.number, each]));
/** What may be asked before the connection is open: AUTH_LIST, SUPPORTS_FEATURE, OPEN, CLOSE. */
const beforeOpen: ReadonlySet<number> = new Set([1, 2, 60, 66]);

export interface SessionOptions {
  readonly context: Omit<CallContext, 'caller'>;
  readonly wall: Wall;
  /** Puts it on the wire, as far as there is room. */
  readonly write: (bytes: Buffer) => void;
  readonly close: () => void;
}

export interface LibvirtSession {
  input(bytes: Uint8Array): void;
  /** The daemon is stopped in its tracks: it does not even miss an answer. */
  freeze(): void;
  thaw(): void;
  /** The peer is gone. */
  end(): void;
}

export function createLibvirtSession({ context, wall, write, close }: SessionOptions): LibvirtSession {
  const caller = { opened: false, readOnly: false, keepalive: false, registrations: new Map() };
  const framing = new Framing(callBytesMax);
  let ended = false;
  let underWay = 0;

  const end = () => {
    ended = true;
    keepalive.stop();
    unlisten();
  };
  const hangUp = () => {
    if (ended) return;
    end();
    close();
  };
  const say = (bytes: Buffer) => {
    if (!ended) write(bytes);
  };
  const unlisten = context.host.listen((event) => {
    for (const [callbackId, { eventId, uuid }] of caller.registrations) {
      if (events[event.kind].id !== eventId || (uuid !== null && uuid !== event.dom.uuid)) continue;
      say(encodeEvent(remoteEvent(event, callbackId)));
    }
  });
  const keepalive = createKeepalive(wall, { ping: () => say(encodeKeepalive('ping')), lost: hangUp });
  /** Something was heard: it lives. */
  const alive = () => {
    if (caller.keepalive && !ended) keepalive.alive();
  };
  const call = async (message: Message) => {
    const { payload: _, version: __, ...header } = message;
    underWay += 1;
    if (underWay > callsMax) return hangUp();
    try {
      const result = await answer(message, { ...context, caller });
      say(encodeMessage({ ...header, type: messageTypes.reply, status: statuses.ok }, result));
    } catch (error) {
      say(encodeError(header, errorOf(error)));
    } finally {
      underWay -= 1;
    }
    alive();
  };
  const hear = (message: Message) => {
    if (ended) return;
    alive();
    if (message.program === programs.keepalive) {
      if (message.procedure === keepaliveProcedures.ping) say(encodeKeepalive('pong'));
    } else if (message.type === messageTypes.call) {
      // The payload is a view of what comes next: an answer may take its time.
      void call({ ...message, payload: Uint8Array.from(message.payload) });
    }
    // A reply, an event or a stream's data of nothing we began is dropped, as libvirtd does.
  };

  return {
    end,
    freeze: keepalive.freeze,
    thaw: keepalive.thaw,
    input(bytes) {
      if (!ended && framing.feed(bytes, hear) !== undefined) hangUp();
    },
  };
}

interface Keepalive {
  /** Begins, or begins anew. */
  alive(): void;
  freeze(): void;
  /** Begins anew, where it had begun. */
  thaw(): void;
  stop(): void;
}

/** A ping after each interval without a word; after so many without an answer, it is lost. */
function createKeepalive(wall: Wall, { ping, lost }: { readonly ping: () => void; readonly lost: () => void }): Keepalive {
  let unanswered = 0;
  let begun = false;
  let frozen = false;
  let cancel = () => {};
  const wait = () => {
    cancel = wall.after(keepaliveMs, () => {
      if (unanswered >= keepaliveCount) return lost();
      unanswered += 1;
      ping();
      wait();
    });
  };
  const anew = () => {
    unanswered = 0;
    cancel();
    if (begun && !frozen) wait();
  };
  return {
    alive() {
      begun = true;
      anew();
    },
    freeze() {
      frozen = true;
      cancel();
    },
    thaw() {
      frozen = false;
      anew();
    },
    stop: () => cancel(),
  };
}

async function answer(message: Message, context: CallContext): Promise<Buffer> {
  const { program, version, procedure } = message;
  if (program !== programs.remote || version !== protocolVersion)
    throw new LibvirtRefusal('rpc', `Cannot find program ${program} version ${version}`, 'rpc');
  const handler = handlers.get(procedure);
  if (!handler) throw new LibvirtRefusal('rpc', `unknown procedure: ${procedure}`, 'rpc');
  if (!context.caller.opened && !beforeOpen.has(procedure)) throw new LibvirtRefusal('internal', 'connection not open', 'none');
  if (handler.writes !== undefined && context.caller.readOnly)
    throw new LibvirtRefusal('denied', `read only access prevents ${handler.writes}`, 'domain');
  return handler.answer(context, message.payload);
}

/** Level 2 is an error. QEMU's driver says -1 twice where it has no numbers to tell. */
function errorOf(thrown: unknown): RemoteError {
  const refusal = thrown instanceof LibvirtRefusal ? thrown : new LibvirtRefusal('rpc', sentence(thrown), 'rpc');
  return {
    code: refusal.code,
    domain: refusal.speaker,
    message: refusal.message,
    level: 2,
    dom: null,
    str1: refusal.format,
    str2: refusal.detail,
    str3: null,
    int1: -1,
    int2: -1,
    network: null,
  };
}

function sentence(thrown: unknown): string {
  return thrown instanceof TargetError ? 'Unable to decode message payload' : 'the lab failed at this call';
}

function remoteEvent(event: DomainEvent, callbackId: number): RemoteEvent {
  const base = { callbackId, dom: event.dom };
  switch (event.kind) {
    case 'lifecycle':
      return { kind: 'lifecycle', ...base, ...lifecycleNumbers(...event.lifecycle) };
    case 'control-error':
      return { kind: 'control-error', ...base };
    case 'migration-iteration':
      return { kind: 'migration-iteration', ...base, iteration: event.iteration };
    case 'job-completed':
      return { kind: 'job-completed', ...base, params: jobParams(event.figures, 'over') };
    case 'metadata-change':
      return { kind: 'metadata-change', ...base, type: metadataTypes.indexOf(event.type), uri: event.uri ?? null };
  }
}
