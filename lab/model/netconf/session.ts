// Owns: one NETCONF session: hello, operations, replies. Bytes in, text out.
import type { Device, Operator } from '../device.ts';
import { type DefaultOperation, editData, filterData, renderData } from './data-tree.ts';
import type { Datastore, Datastores, SessionIdentity } from './datastores.ts';
import { createFrameReader, type Framing, frame } from './framing.ts';
import { hsrpData } from './native.ts';
import { Refusal, type RpcErrorFields, rpcErrorXml } from './rpc-error.ts';
import { bgpNs, hsrpNs, nativeNs, nativeSchema } from './schema.ts';
import { childOf, escapeXml, netconfNs, readXml, type XmlNode } from './xml.ts';

export interface NetconfSessionOptions {
  readonly id: number;
  readonly device: Device;
  readonly datastores: Datastores;
  readonly operator: Operator;
  readonly write: (text: string) => void;
  readonly close: () => void;
  /** Ends another session; false where there is none with this number. */
  readonly kill: (id: number) => boolean;
}

export interface NetconfSession {
  start(): void;
  input(bytes: Buffer): void;
  end(): void;
}

const base10 = 'urn:ietf:params:netconf:base:1.0';
const base11 = 'urn:ietf:params:netconf:base:1.1';
const capabilities = [
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
  `${nativeNs}?module=Cisco-IOS-XE-native&revision=2022-11-01`,
  `${bgpNs}?module=Cisco-IOS-XE-bgp&revision=2022-11-01`,
  `${hsrpNs}?module=Cisco-IOS-XE-hsrp-oper&revision=2022-11-01`,
];
/** RFC 6241 section 8.4.1: where the commit does not say. */
const confirmSecondsDefault = 600;
/** A day: beyond it the timer is a mistake. */
const confirmSecondsMax = 86_400;

export function createNetconfSession(options: NetconfSessionOptions): NetconfSession {
  const { datastores, device, operator, close } = options;
  const identity: SessionIdentity = { id: options.id, operator };
  let framing: Framing = 'end-of-message';
  let greeted = false;
  let over = false;

  const send = (xml: string) => {
    if (!over) options.write(frame(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`, framing));
  };
  const finish = () => {
    if (over) return;
    over = true;
    datastores.sessionEnded(identity);
    close();
  };
  const refuseAll = (fields: RpcErrorFields) => send(`<rpc-reply xmlns="${netconfNs}">${rpcErrorXml(fields)}</rpc-reply>`);

  const hear = (message: string) => {
    if (over) return;
    let root: XmlNode;
    try {
      root = readXml(message);
    } catch (error) {
      refuseAll({ type: 'rpc', tag: 'malformed-message', message: error instanceof Error ? error.message : 'not XML' });
      if (!greeted) finish();
      return;
    }
    if (!greeted) greet(root);
    else answer(root);
  };
  const greet = (root: XmlNode) => {
    const offered = childOf(root, 'capabilities')?.children.map(({ text }) => text) ?? [];
    const common = [base11, base10].find((base) => offered.includes(base));
    // RFC 6241 section 8.1: no hello, no common version, or a session-id from a client ends the session.
    if (root.name !== 'hello' || root.ns !== netconfNs || !common || childOf(root, 'session-id')) return finish();
    greeted = true;
    framing = common === base11 ? 'chunked' : 'end-of-message';
    reader.use(framing);
  };
  const answer = (root: XmlNode) => {
    if (root.name !== 'rpc' || root.ns !== netconfNs)
      return refuseAll({
        type: 'rpc',
        tag: 'unknown-element',
        message: `expected rpc, got ${root.name}`,
        info: `<bad-element>${escapeXml(root.name)}</bad-element>`,
      });
    if (root.attributes['message-id'] === undefined)
      return refuseAll({
        type: 'rpc',
        tag: 'missing-attribute',
        message: 'rpc has no message-id',
        info: '<bad-attribute>message-id</bad-attribute><bad-element>rpc</bad-element>',
      });
    const attributes = Object.entries(root.attributes).map(
      ([name, value]) => ` ${name.replace(/^nc:/, '')}="${escapeXml(value)}"`,
    );
    const [operation] = root.children;
    send(`<rpc-reply xmlns="${netconfNs}"${attributes.join('')}>${outcome(operation)}</rpc-reply>`);
    if (operation?.name === 'close-session') finish();
  };
  const outcome = (operation: XmlNode | undefined): string => {
    try {
      return perform(operation);
    } catch (error) {
      if (error instanceof Refusal) return rpcErrorXml(error.fields);
      throw error;
    }
  };
  const perform = (operation: XmlNode | undefined): string => {
    const run = operation && Object.hasOwn(operations, operation.name) ? operations[operation.name] : undefined;
    if (!operation || !run) {
      throw new Refusal({
        type: 'protocol',
        tag: 'operation-not-supported',
        message: `unknown operation ${operation?.name ?? '(none)'}`,
      });
    }
    return run(operation) ?? '<ok/>';
  };

  const operations: Readonly<Record<string, (operation: XmlNode) => string | undefined>> = {
    get: (operation) => selection(operation, [...datastores.data('running'), ...hsrpData(device.groups())]),
    'get-config': (operation) => selection(operation, datastores.data(storeIn(operation, 'source'))),
    'edit-config': (operation) => {
      if (storeIn(operation, 'target') !== 'candidate') throw notWritable();
      const edits = childOf(operation, 'config')?.children;
      if (!edits) throw missing('config');
      datastores.setCandidate(
        identity,
        editData(datastores.data('candidate'), edits, [nativeSchema], defaultOperation(operation)),
      );
      return undefined;
    },
    validate: (operation) => void datastores.validate(storeIn(operation, 'source')),
    commit: (operation) => {
      const confirmed = childOf(operation, 'confirmed')
        ? { timeoutMs: confirmSeconds(operation) * 1000, persist: childOf(operation, 'persist')?.text }
        : undefined;
      datastores.commit(identity, confirmed, childOf(operation, 'persist-id')?.text);
      return undefined;
    },
    'cancel-commit': (operation) => void datastores.cancel(identity, childOf(operation, 'persist-id')?.text),
    'discard-changes': () => void datastores.discard(identity),
    lock: (operation) => void datastores.lock(identity, storeIn(operation, 'target')),
    unlock: (operation) => void datastores.unlock(identity, storeIn(operation, 'target')),
    'close-session': () => undefined,
    'kill-session': (operation) => {
      const id = Number(childOf(operation, 'session-id')?.text ?? Number.NaN);
      if (id === identity.id || !options.kill(id))
        throw new Refusal({
          type: 'application',
          tag: 'invalid-value',
          message: 'there is no other session with this session-id',
        });
      return undefined;
    },
    // cisco-ia: what `write memory` is on the CLI.
    'save-config': () => {
      device.writeMemory(operator);
      return '<result xmlns="http://cisco.com/yang/cisco-ia">Save running-config successful</result>';
    },
  };
  const reader = createFrameReader(hear);

  return {
    start() {
      const list = capabilities.map((uri) => `<capability>${escapeXml(uri)}</capability>`).join('');
      send(`<hello xmlns="${netconfNs}"><capabilities>${list}</capabilities><session-id>${identity.id}</session-id></hello>`);
    },
    input(bytes) {
      if (over) return;
      try {
        reader.feed(bytes);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        refuseAll({ type: 'rpc', tag: 'malformed-message', message: error.message });
        finish();
      }
    },
    end: finish,
  };
}

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
