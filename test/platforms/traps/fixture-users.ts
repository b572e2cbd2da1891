// The SNMPv3 users of test/fixtures/traps. Made up: their keys open nothing.
import type { AuthProtocol, PrivProtocol, SnmpUser } from '../../../adapters/source-snmp/index.ts';

const auth = (protocol: AuthProtocol) => ({ protocol, key: 'authpass12345' });
const priv = (protocol: PrivProtocol) => ({ protocol, key: 'privpass12345' });
const pairs = [
  ['sha', 'aes128'],
  ['md5', 'aes256'],
  ['sha', 'aes256'],
  ['sha', 'aes256-cisco'],
  ['sha256', 'aes128'],
  ['sha256', 'aes256'],
  ['sha512', 'aes256'],
] as const;

export const fixtureUsers: readonly SnmpUser[] = [
  { name: 'plain', level: 'noAuthNoPriv' },
  ...(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const).map((protocol) => ({
    name: protocol,
    level: 'authNoPriv' as const,
    auth: auth(protocol),
  })),
  ...pairs.map(([a, p]) => ({ name: `${a}-${p}`, level: 'authPriv' as const, auth: auth(a), priv: priv(p) })),
];
