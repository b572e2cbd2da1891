// Owns: what no schema can say of the sources of requests: how they log in and let in, and that no secret goes in the clear.
import { type Config, type HttpConfig, listenAddress, type NatsConfig } from '../model/config.ts';
import { type Finding, finding, keyFinding } from './config-findings.ts';
import type { Path } from './config-problem.ts';

export function requestFindings({ nats, http }: Config['sources']): readonly Finding[] {
  return [...(nats ? natsFindings(nats) : []), ...(http ? httpFindings(http) : [])];
}

function natsFindings(nats: NatsConfig): readonly Finding[] {
  const at: Path = ['sources', 'nats'];
  const { servers, subject, outcomes, credentials, user, password, token, tls } = nats;
  const found: Finding[] = [];
  if ((user === undefined) !== (password === undefined)) {
    const [there, missing] = user === undefined ? ['password', 'user'] : ['user', 'password'];
    found.push(keyFinding([...at, there], `"${missing}" is missing`, `Write both, or neither.`));
  }
  const ways = [credentials && 'credentials', user && 'user', token && 'token'].filter((way) => way !== undefined);
  const [first, second] = ways;
  if (second) found.push(keyFinding([...at, second], `"${first}" is there already`, 'Log in in one way.'));
  if ((tls?.certificate === undefined) !== (tls?.key === undefined)) {
    const [there, missing] = tls?.key ? ['key', 'certificate'] : ['certificate', 'key'];
    found.push(keyFinding([...at, 'tls', there], `"${missing}" is missing`, 'Write both, or neither.'));
  }
  for (const [i, server] of servers.entries()) {
    const { protocol, host } = /^(?<protocol>\w+):\/\/(?<host>.+):\d+$/.exec(server)!.groups as {
      protocol: string;
      host: string;
    };
    if (protocol === 'tls' && !tls)
      found.push(finding([...at, 'servers', i], 'tls:// needs "tls"', 'Add "tls: {}", with a "ca" where it is your own.'));
    if ((password || token) && !tls && !isLoopback(host)) {
      const cause = `the ${token ? 'token' : 'password'} would go to ${host} in the clear`;
      found.push(finding([...at, 'servers', i], cause, 'Add "tls: {}", or use credentials.'));
    }
  }
  const heard = subject.replace(/\.>$/, '');
  if (subject !== heard && (outcomes === heard || outcomes.startsWith(`${heard}.`)))
    found.push(finding([...at, 'outcomes'], `"${outcomes}" is heard as a request`, `Choose one outside ${subject}.`));
  return found;
}

function httpFindings({ listen, token, tls }: HttpConfig): readonly Finding[] {
  const at: Path = ['sources', 'http'];
  const { host } = listenAddress(listen);
  const found: Finding[] = [];
  if ((tls?.clientCa === undefined) !== (tls?.clients === undefined)) {
    const [there, missing] = tls?.clients ? ['clients', 'clientCa'] : ['clientCa', 'clients'];
    const remedy = 'Write both: who signs the certificates, and which subjects of them may send requests.';
    found.push(keyFinding([...at, 'tls', there], `"${missing}" is missing`, remedy));
  }
  if (!token && !tls?.clients && !isLoopback(host)) {
    const remedy = 'Add "token", or "tls" with "clientCa" and "clients", or listen on 127.0.0.1.';
    found.push(finding([...at, 'listen'], `anybody who reaches ${listen} could send requests`, remedy));
  }
  return found;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
