// What is wrong with the sources of requests is told where it stands, and no secret with it.
import { expect, test } from 'vitest';
import { configFolder } from './config-folder.ts';

const { told } = configFolder();

test.each([
  ['sources: { nats: { servers: ["nats://127.0.0.1:4222"], user: offbox, password: { env: X } } }', ''],
  ['sources: { nats: { servers: ["tls://broker.example:4222"], tls: {}, token: { env: X } } }', ''],
  ['sources: { http: { listen: "127.0.0.1:8080" } }', ''],
  ['sources: { http: { listen: "0.0.0.0:8080", token: { env: X } } }', ''],
  [
    'sources: { nats: { servers: ["nats://127.0.0.1:4222"], user: offbox } }',
    'sources.nats.user: "password" is missing. Write both, or neither.',
  ],
  [
    'sources: { nats: { servers: ["nats://127.0.0.1:4222"], credentials: { file: a }, token: { env: X } } }',
    'sources.nats.token: "credentials" is there already. Log in in one way.',
  ],
  [
    'sources: { nats: { servers: ["nats://192.0.2.1:4222"], token: { env: X } } }',
    'sources.nats.servers[0]: the token would go to 192.0.2.1 in the clear. Add "tls: {}", or use credentials.',
  ],
  [
    'sources: { nats: { servers: ["tls://192.0.2.1:4222"] } }',
    'sources.nats.servers[0]: tls:// needs "tls". Add "tls: {}", with a "ca" where it is your own.',
  ],
  [
    'sources: { nats: { servers: ["nats://user:sesame@192.0.2.1:4222"] } }',
    'a server is nats://HOST:PORT or tls://HOST:PORT, and no login stands in it',
  ],
  [
    'sources: { nats: { servers: ["nats://127.0.0.1:4222"], outcomes: offbox.request.done } }',
    'sources.nats.outcomes: "offbox.request.done" is heard as a request. Choose one outside offbox.request.>.',
  ],
  [
    'sources: { http: { listen: "0.0.0.0:8080" } }',
    'sources.http.listen: anybody who reaches 0.0.0.0:8080 could send requests. Add "token", or "tls" with "clientCa" and "clients", or listen on 127.0.0.1.',
  ],
  [
    'sources: { http: { listen: "[::]:8080", tls: { certificate: { file: c }, key: { file: k }, clientCa: { file: a } } } }',
    'sources.http.tls.clientCa: "clients" is missing.',
  ],
])('%s', async (config, message) => {
  const said = await told(config);
  if (message === '') expect(said).toBe('');
  else expect(said).toContain(message);
  expect(said).not.toContain('sesame');
});

test.each(['nats: { servers: ["nats://127.0.0.1:4222"], token: ', 'http: { listen: "127.0.0.1:1", token: '])(
  'a secret in place of its reference is not told: %s',
  async (written) => {
    const said = await told(`sources: { ${written}sesame } }`);
    expect(said).toContain('must be a reference to a secret');
    expect(said).not.toContain('sesame');
  },
);
