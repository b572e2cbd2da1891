// The NETCONF actuator against servers on loopback.
import { afterEach, expect, test } from 'vitest';
import { netconfActuator } from '../../adapters/actuator-netconf/index.ts';
import { OperatorError, RuntimeFault, type TargetError } from '../../src/model/errors.ts';
import type { Session } from '../../src/ports/actuator.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { oneByOne, secrets } from '../actuator-cli/device.ts';
import { type NetconfServer, netconfServer, type ServerOptions } from './server.ts';

const actuator = netconfActuator({ wall: realWall, secrets });
const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];

async function playing(options: ServerOptions): Promise<NetconfServer> {
  const server = await netconfServer(options);
  ends.push(server.close);
  return server;
}

async function session(options: ServerOptions): Promise<{ session: Session; server: NetconfServer }> {
  const server = await playing(options);
  const opened = await actuator.open('edge1', server.target, never);
  ends.unshift(opened.close);
  return { session: opened, server };
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function thrownBy(promise: Promise<unknown>): Promise<TargetError> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  return error as TargetError;
}

const get = { kind: 'get', filter: '<a xmlns="u"/>' } as const;
const data = '<data><a xmlns="u">\u00e9</a></data>';

test.each([['1.0'], ['1.1'], ['1.0', '1.1']] as ('1.0' | '1.1')[][])(
  'it speaks to a server of base %s %s',
  async (...versions) => {
    const { session: edge, server } = await session({ versions, answer: () => data });
    expect(await edge.run(get, never)).toEqual({ text: '<a xmlns="u">\u00e9</a>' });
    expect(await edge.run({ kind: 'get-config', filter: '<b/>' }, never)).toEqual({ text: '<a xmlns="u">\u00e9</a>' });
    expect(server.operations).toEqual([
      '<get><filter type="subtree"><a xmlns="u"/></filter></get>',
      '<get-config><source><running/></source><filter type="subtree"><b/></filter></get-config>',
    ]);
  },
);

test('it works with every byte in a packet of its own', async () => {
  const { session: edge } = await session({ send: oneByOne, answer: () => data });
  expect((await edge.run(get, never)).text).toBe('<a xmlns="u">\u00e9</a>');
});

test('any operation may be called', async () => {
  const { session: edge, server } = await session({ answer: () => '<ok/>' });
  expect(await edge.run({ kind: 'rpc', operation: '<save-config xmlns="http://cisco.com/yang/cisco-ia"/>' }, never)).toEqual({
    text: '<ok/>',
  });
  expect(server.operations).toEqual(['<save-config xmlns="http://cisco.com/yang/cisco-ia"/>']);
});

test('an edit goes through the candidate; its commit is undone with the session unless that confirms it', async () => {
  const capabilities = ['candidate:1.0', 'validate:1.1', 'confirmed-commit:1.1'].map(
    (name) => `urn:ietf:params:netconf:capability:${name}`,
  );
  const { session: edge, server } = await session({
    capabilities,
    answer: (operation) => (operation.startsWith('<get') ? '<data/>' : '<ok/>'),
  });
  await edge.run({ kind: 'edit', config: '<native xmlns="n"><a/></native>', confirm: 'on-loss' }, never);
  const names = server.operations.map((operation) => /^<([\w-]+)/.exec(operation)![1]);
  expect(names).toEqual([
    'lock',
    'lock',
    'get-config',
    'get-config',
    'edit-config',
    'validate',
    'commit',
    'commit',
    'unlock',
    'unlock',
  ]);
  const commits = server.operations.filter((operation) => operation.startsWith('<commit'));
  expect(commits).toEqual([
    expect.stringMatching(/^<commit><confirmed\/><confirm-timeout>\d+<\/confirm-timeout><\/commit>$/),
    '<commit/>',
  ]);
});

test('a refusal is told, and the session stays', async () => {
  const error =
    '<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag><error-message>Default mask</error-message></rpc-error>';
  const { session: edge } = await session({ answer: (operation) => (operation.startsWith('<get>') ? error : data) });
  const thrown = await thrownBy(edge.run(get, never));
  expect(thrown).toMatchObject({ code: 'rpc-error', retry: false });
  expect(thrown.message).toContain('[actuator-netconf] edge1 refused a get: Default mask (application invalid-value)');
  expect((await edge.run({ kind: 'get-config', filter: '<b/>' }, never)).text).toContain('<a');
});

test('an error without a message-id answers what was asked', async () => {
  const error = '<rpc-error><error-type>rpc</error-type><error-tag>malformed-message</error-tag></rpc-error>';
  const { session: edge } = await session({
    versions: ['1.0'],
    answer: (_operation, stream) => {
      stream.write(`<rpc-reply xmlns="x">${error}</rpc-reply>]]>]]>`);
      return undefined;
    },
  });
  expect((await thrownBy(edge.run(get, never))).message).toContain('malformed-message');
});

test.each([
  ['another message-id', '<rpc-reply message-id="99"><ok/></rpc-reply>'],
  ['a second hello', '<hello><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>'],
  ['no XML', 'what?'.concat('<')],
  ['a document type', '<!DOCTYPE x []><rpc-reply message-id="1"/>'],
])('%s ends the session', async (_name, xml) => {
  const { session: edge } = await session({
    versions: ['1.0'],
    answer: (_operation, stream) => {
      stream.write(`${xml}]]>]]>`);
      return undefined;
    },
  });
  expect(await thrownBy(edge.run(get, never))).toMatchObject({ name: 'TargetError' });
  await edge.closed;
  expect(await thrownBy(edge.run(get, never))).toMatchObject({ name: 'TargetError' });
});

test('a broken chunk ends the session', async () => {
  const { session: edge } = await session({
    answer: (_operation, stream) => {
      stream.write('\n#x\n');
      return undefined;
    },
  });
  expect(await thrownBy(edge.run(get, never))).toMatchObject({ code: 'protocol-broken', retry: true });
  await edge.closed;
});

test('a reply beyond the bound ends the session', async () => {
  const { session: edge } = await session({
    versions: ['1.0'],
    answer: (_operation, stream) => {
      const block = Buffer.alloc(1024 * 1024, 'x');
      for (let sent = 0; sent < 50; sent++) stream.write(block);
      return undefined;
    },
  });
  expect((await thrownBy(edge.run(get, never))).message).toContain('longer than');
  await edge.closed;
});

test('notifications in between are let pass', async () => {
  const { session: edge } = await session({
    versions: ['1.0'],
    answer: (_operation, stream) => {
      stream.write('<notification><eventTime/></notification>]]>]]>');
      return data;
    },
  });
  expect((await edge.run(get, never)).text).toContain('<a');
});

test.each([
  ['names no version', '<hello><capabilities/></hello>'],
  ['is something else', '<rpc-reply message-id="1"><ok/></rpc-reply>'],
  ['is no XML', 'SSH is not NETCONF <'],
])('a hello that %s is refused', async (_name, hello) => {
  const { target } = await playing({ hello });
  expect(await thrownBy(actuator.open('edge1', target, never))).toMatchObject({ name: 'TargetError' });
});

test('a server without the subsystem is told, and not tried again', async () => {
  const { target } = await playing({ subsystem: 'refused' });
  expect(await thrownBy(actuator.open('edge1', target, never))).toMatchObject({ code: 'no-subsystem', retry: false });
});

test('a target without netconf is the operator’s', async () => {
  expect(await thrownBy(actuator.open('edge1', { platform: 'frr', address: '127.0.0.1' }, never))).toBeInstanceOf(OperatorError);
});

test('a server that says nothing is given up when told to', async () => {
  const stop = new AbortController();
  const { target } = await playing({ send: () => stop.abort(new Error('late')) });
  expect(await thrownBy(actuator.open('edge1', target, stop.signal))).toMatchObject({ code: 'aborted', retry: true });
});

test('an abort closes the session', async () => {
  const stop = new AbortController();
  const { session: edge } = await session({
    answer: () => {
      stop.abort(new Error('late'));
      return undefined;
    },
  });
  expect(await thrownBy(edge.run(get, stop.signal))).toMatchObject({ code: 'aborted', retry: true });
  await edge.closed;
});

test('a session closed in the middle of a reply is a fault of transport', async () => {
  const { session: edge } = await session({
    answer: (_operation, stream) => {
      stream.write('\n#100\n<rpc-reply');
      stream.close();
      return undefined;
    },
  });
  expect(await thrownBy(edge.run(get, never))).toMatchObject({ code: 'connection-lost', retry: true });
  await edge.closed;
});

test('one command runs at a time, and a CLI command is not for it', async () => {
  const { session: edge } = await session({ answer: () => data });
  const first = edge.run(get, never);
  expect(await thrownBy(edge.run(get, never))).toBeInstanceOf(RuntimeFault);
  expect((await first).text).toContain('<a');
  expect(await thrownBy(edge.run({ kind: 'cli', line: 'show clock' }, never))).toBeInstanceOf(RuntimeFault);
});

test('closing says goodbye, and twice is no fault', async () => {
  const { session: edge, server } = await session({});
  await edge.close();
  await edge.closed;
  await edge.close();
  expect(server.operations).toEqual(['<close-session/>']);
});
