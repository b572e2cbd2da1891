// Owns: one NETCONF session: hello, operations, replies. Bytes in, text out.
import { messageOf } from '../../../src/model/errors.ts';
import type { Chassis } from '../chassis.ts';
import { type DefaultOperation, editData, filterData, renderData } from './data-tree.ts';
import type { Datastore, Datastores, SessionIdentity } from './datastores.ts';
import { createFrameReader, type Framing, frame } from './framing.ts';
import type { DeviceModels } from './models.ts';
import { Refusal, type RpcErrorFields, rpcErrorXml } from './rpc-error.ts';
import { childOf, escapeXml, netconfNs, readXml, type XmlNode } from './xml.ts';

const base10 = 'urn:ietf:params:netconf:base:1.0';
const base11 = 'urn:ietf:params:netconf:base:1.1';
const baseCapabilities = [
  base10,
  base11,
  ...[
    'candidate:1.0',
    'validate:1.0',
    'validate:1.1',
    'confirmed-commit:1.0',
    'confirmed-commit:1.1',
    'rollback-on-error:1.0',
  ].map((name) => `urn:ietf:params:netconf:capability:${name}`),
];
/** RFC 6241 section 8.4.1: where the commit does not say. */
const confirmSecondsDefault = 600;
/** A day: beyond it the timer is a mistake. */
const confirmSecondsMax = 86_400;

export interface SessionContext {
  readonly device: Chassis;
  readonly models: DeviceModels;
  readonly datastores: Datastores;
  readonly identity: SessionIdentity;
  /** Ends another session; false where there is none with this number. */
  readonly kill: (id: number) => boolean;
}

export interface NetconfOutlet {
  readonly write: (text: string) => void;
  readonly close: () => void;
}

export class NetconfSession {
  readonly #context: SessionContext;
  readonly #outlet: NetconfOutlet;
  readonly #reader = createFrameReader((message) => this.#hear(message));
  #framing: Framing = 'end-of-message';
  #greeted = false;
  #over = false;

  constructor(context: SessionContext, outlet: NetconfOutlet) {
    this.#context = context;
    this.#outlet = outlet;
  }

  start(): void {
    const list = [...baseCapabilities, ...this.#context.models.capabilities]
      .map((uri) => `<capability>${escapeXml(uri)}</capability>`)
      .join('');
    const id = this.#context.identity.id;
    this.#send(`<hello xmlns="${netconfNs}"><capabilities>${list}</capabilities><session-id>${id}</session-id></hello>`);
  }

  input(bytes: Buffer): void {
    if (this.#over) return;
    try {
      this.#reader.feed(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#refuse({ type: 'rpc', tag: 'malformed-message', message: error.message });
      this.end();
    }
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.datastores.sessionEnded(this.#context.identity);
    this.#outlet.close();
  }

  #send(xml: string): void {
    if (!this.#over) this.#outlet.write(frame(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`, this.#framing));
  }

  #refuse(fields: RpcErrorFields): void {
    this.#send(`<rpc-reply xmlns="${netconfNs}">${rpcErrorXml(fields)}</rpc-reply>`);
  }

  #hear(message: string): void {
    if (this.#over) return;
    let root: XmlNode;
    try {
      root = readXml(message);
    } catch (error) {
      this.#refuse({ type: 'rpc', tag: 'malformed-message', message: messageOf(error) });
      if (!this.#greeted) this.end();
      return;
    }
    if (this.#greeted) this.#answer(root);
    else this.#greet(root);
  }

  /** RFC 6241 section 8.1: no hello, no common version, or a session-id from a client ends the session. */
  #greet(root: XmlNode): void {
    const offered = childOf(root, 'capabilities')?.children.map(({ text }) => text) ?? [];
    const common = [base11, base10].find((base) => offered.includes(base));
    if (root.name !== 'hello' || root.ns !== netconfNs || !common || childOf(root, 'session-id')) {
      this.end();
      return;
    }
    this.#greeted = true;
    this.#framing = common === base11 ? 'chunked' : 'end-of-message';
    this.#reader.use(this.#framing);
  }

  #answer(root: XmlNode): void {
    const malformed = malformedRpc(root);
    if (malformed) {
      this.#refuse(malformed);
      return;
    }
    const attributes = Object.entries(root.attributes).map(
      ([name, value]) => ` ${name.replace(/^nc:/, '')}="${escapeXml(value)}"`,
    );
    const [operation] = root.children;
    this.#send(`<rpc-reply xmlns="${netconfNs}"${attributes.join('')}>${this.#outcome(operation)}</rpc-reply>`);
    if (operation?.name === 'close-session') this.end();
  }

  #outcome(operation: XmlNode | undefined): string {
    try {
      const { models, identity } = this.#context;
      const run = operation && Object.hasOwn(operations, operation.name) ? operations[operation.name] : undefined;
      if (operation && run) return run(this.#context, operation) ?? '<ok/>';
      const own = operation && models.actions.find(({ name, ns }) => name === operation.name && ns === operation.ns);
      if (operation && own) return own.run(operation, identity.operator) ?? '<ok/>';
      throw new Refusal({
        type: 'protocol',
        tag: 'operation-not-supported',
        message: `unknown operation ${operation?.name ?? '(none)'}`,
      });
    } catch (error) {
      if (error instanceof Refusal) return rpcErrorXml(error.fields);
      throw error;
    }
  }
}

function malformedRpc(root: XmlNode): RpcErrorFields | undefined {
  if (root.name !== 'rpc' || root.ns !== netconfNs) {
    const info = `<bad-element>${escapeXml(root.name)}</bad-element>`;
    return { type: 'rpc', tag: 'unknown-element', message: `expected rpc, got ${root.name}`, info };
  }
  if (root.attributes['message-id'] !== undefined) return undefined;
  const info = '<bad-attribute>message-id</bad-attribute><bad-element>rpc</bad-element>';
  return { type: 'rpc', tag: 'missing-attribute', message: 'rpc has no message-id', info };
}

type Operation = (session: SessionContext, operation: XmlNode) => string | undefined;

const operations: Readonly<Record<string, Operation>> = {
  get: ({ models, datastores }, operation) => selection(operation, [...datastores.data('running'), ...models.state()]),
  'get-config': ({ datastores }, operation) => selection(operation, datastores.data(storeIn(operation, 'source'))),
  'edit-config': ({ datastores, identity, models }, operation) => {
    if (storeIn(operation, 'target') !== 'candidate') throw notWritable();
    const edits = childOf(operation, 'config')?.children;
    if (!edits) throw missing('config');
    const edited = editData(datastores.data('candidate'), edits, models.schemas, defaultOperation(operation));
    datastores.setCandidate(identity, edited);
    return undefined;
  },
  validate: ({ datastores }, operation) => void datastores.validate(storeIn(operation, 'source')),
  commit: ({ datastores, identity }, operation) => {
    const confirmed = childOf(operation, 'confirmed')
      ? { timeoutMs: confirmSeconds(operation) * 1000, persist: childOf(operation, 'persist')?.text }
      : undefined;
    datastores.commit(identity, confirmed, childOf(operation, 'persist-id')?.text);
    return undefined;
  },
  'cancel-commit': ({ datastores, identity }, operation) =>
    void datastores.cancel(identity, childOf(operation, 'persist-id')?.text),
  'discard-changes': ({ datastores, identity }) => void datastores.discard(identity),
  lock: ({ datastores, identity }, operation) => void datastores.lock(identity, storeIn(operation, 'target')),
  unlock: ({ datastores, identity }, operation) => void datastores.unlock(identity, storeIn(operation, 'target')),
  'close-session': () => undefined,
  'kill-session': ({ identity, kill }, operation) => {
    const id = Number(childOf(operation, 'session-id')?.text ?? Number.NaN);
    if (id !== identity.id && kill(id)) return undefined;
    throw new Refusal({
      type: 'application',
      tag: 'invalid-value',
      message: 'there is no other session with this session-id',
    });
  },
  // cisco-ia: what `write memory` is on the CLI.
  'save-config': ({ device, identity }) => {
    device.writeMemory(identity.operator);
    return '<result xmlns="http://cisco.com/yang/cisco-ia">Save running-config successful</result>';
  },
};

function selection(operation: XmlNode, data: ReturnType<Datastores['data']>): string {
  const filter = childOf(operation, 'filter');
  if (!filter) return `<data>${renderData(data)}</data>`;
  const type = filter.attributes['nc:type'] ?? filter.attributes.type ?? 'subtree';
  if (type !== 'subtree')
    throw new Refusal({ type: 'protocol', tag: 'operation-not-supported', message: `filter type ${type} is not supported` });
  return `<data>${renderData(filterData(data, filter.children))}</data>`;
}

function storeIn(operation: XmlNode, place: 'source' | 'target'): Datastore {
  const holder = childOf(operation, place);
  const [store] = holder?.children ?? [];
  if (!store) throw missing(place);
  if (store.name === 'running' || store.name === 'candidate') return store.name;
  throw new Refusal({
    type: 'protocol',
    tag: 'bad-element',
    message: `there is no datastore ${store.name}`,
    info: `<bad-element>${escapeXml(store.name)}</bad-element>`,
  });
}

function defaultOperation(operation: XmlNode): DefaultOperation {
  const text = childOf(operation, 'default-operation')?.text ?? 'merge';
  if (text === 'merge' || text === 'replace' || text === 'none') return text;
  throw new Refusal({ type: 'protocol', tag: 'invalid-value', message: `"${text}" is no default-operation` });
}

function confirmSeconds(operation: XmlNode): number {
  const text = childOf(operation, 'confirm-timeout')?.text ?? String(confirmSecondsDefault);
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= confirmSecondsMax) return seconds;
  throw new Refusal({ type: 'protocol', tag: 'invalid-value', message: `"${text}" is no confirm-timeout` });
}

function missing(name: string): Refusal {
  return new Refusal({
    type: 'protocol',
    tag: 'missing-element',
    message: `${name} is missing`,
    info: `<bad-element>${name}</bad-element>`,
  });
}

/** IOS-XE with `netconf-yang feature candidate-datastore`: running takes no edits of its own. */
function notWritable(): Refusal {
  return new Refusal({
    type: 'protocol',
    tag: 'operation-not-supported',
    message: 'running is not writable while the candidate datastore is enabled',
  });
}
