// Owns: SNMPv3 users and their keys: key localisation (RFC 3414 A.2), the digest of a message, its decryption.
// The first half of a key is a hash over 1 MiB of repeated password and depends on the user alone: done once, so that a
// flood of invented engine ids costs microseconds each and not net-snmp's 0.7 ms. Digests are compared in constant time.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { OperatorError } from '../../src/model/errors.ts';
import { snmpEnginesMax } from '../../src/model/limits.ts';
import { type BoundedMap, boundedMap } from './bounded-map.ts';
import type { Element } from './frame.ts';
import { type CodecUser, type Engine, netSnmp } from './net-snmp.ts';

export type SecurityLevel = 'noAuthNoPriv' | 'authNoPriv' | 'authPriv';
export type AuthProtocol = 'md5' | 'sha' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
/** `aes256` extends the key as Blumenthal's draft does (net-snmp's `-x AES-256`), `aes256-cisco` as Reeder's (`-x AES-256-C`). */
export type PrivProtocol = 'aes128' | 'aes256' | 'aes256-cisco';

export interface SnmpUser {
  readonly name: string;
  /** What its messages must have, at least. Without it, what its keys allow. */
  readonly level?: SecurityLevel;
  /** `key` is the password, 8 characters or more. */
  readonly auth?: { readonly protocol: AuthProtocol; readonly key: string };
  /** DES is refused: 56 bits are no privacy, and OpenSSL 3 has no DES. */
  readonly priv?: { readonly protocol: PrivProtocol | 'des'; readonly key: string };
}

export const levels: readonly SecurityLevel[] = ['noAuthNoPriv', 'authNoPriv', 'authPriv'];
const authProtocols: readonly string[] = ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] satisfies AuthProtocol[];
/** To net-snmp's own names. */
const privProtocols: ReadonlyMap<string, string> = new Map([
  ['aes128', 'aes'],
  ['aes256', 'aes256b'],
  ['aes256-cisco', 'aes256r'],
] satisfies [PrivProtocol, string][]);

/** RFC 3414 section 11.2: shorter passwords are not to be used, and agents refuse them. */
const passwordLeast = 8;

export interface User {
  readonly name: string;
  /** Rank of the level it must have at least, in `levels`. */
  readonly least: number;
  /** Rank of the level it can have at most: what it has keys for. */
  readonly most: number;
  readonly codec: CodecUser;
  /** Whether this is the digest of the message under the user's key for that engine. */
  authentic(bytes: Uint8Array, digest: Element, engine: Buffer): boolean;
  /** The scoped PDU in clear, or garbage where the key is wrong. Throws where the cipher itself refuses. */
  decrypt(bytes: Buffer, salt: Buffer, engine: Engine): Buffer;
}

function refusal(name: string, problem: string, remedy: string): OperatorError {
  return new OperatorError(`[snmp] SNMPv3 user "${name}" ${problem}`, { code: 'snmp-user', remedy });
}

function levelOf({ level, auth, priv }: SnmpUser): SecurityLevel {
  return level ?? (priv ? 'authPriv' : auth ? 'authNoPriv' : 'noAuthNoPriv');
}

function checkUser(user: SnmpUser): void {
  const { name, auth, priv } = user;
  const level = levelOf(user);
  const rank = levels.indexOf(level);
  if (name.length < 1 || Buffer.byteLength(name) > 32)
    throw refusal(name, 'has a name that is not 1 to 32 octets long', 'Shorten it.');
  if (rank < 0) throw refusal(name, `has the level "${level}"`, `Use one of ${levels.join(', ')}.`);
  if (priv && !auth) throw refusal(name, 'has a priv key and no auth key', 'SNMPv3 has no privacy without authentication.');
  if (rank >= 1 && !auth) throw refusal(name, `is ${level} without an auth key`, 'Give auth: {protocol, key}.');
  if (rank >= 2 && !priv) throw refusal(name, `is ${level} without a priv key`, 'Give priv: {protocol, key}.');
  if (auth && !authProtocols.includes(auth.protocol))
    throw refusal(name, `has the auth protocol "${auth.protocol}"`, `Use one of ${authProtocols.join(', ')}.`);
  if (priv && !privProtocols.has(priv.protocol))
    throw refusal(
      name,
      `has the priv protocol "${priv.protocol}"`,
      `Use one of ${[...privProtocols.keys()].join(', ')}; DES is broken and not spoken here.`,
    );
  for (const key of [auth?.key, priv?.key]) {
    if (key !== undefined && Buffer.byteLength(key) < passwordLeast)
      throw refusal(name, 'has a key that is too short', `RFC 3414 asks for ${passwordLeast} characters or more.`);
  }
}

/** Emptied when an engine is forgotten: net-snmp's cache has no bound of its own and is filled by decryption only. */
function emptyCodecCache(): void {
  netSnmp.Authentication.authToKeyCache = {};
}

/** Keys of engines that have been authentic, of all users: an invented engine id never gets here. */
type LocalKeys = BoundedMap<string, Buffer>;

function userOf(user: SnmpUser, localKeys: LocalKeys): User {
  const { name, auth, priv } = user;
  const level = levelOf(user);
  const least = levels.indexOf(level);
  const codec: CodecUser = {
    name,
    level: netSnmp.SecurityLevel[level]!,
    ...(auth && { authProtocol: netSnmp.AuthProtocols[auth.protocol]!, authKey: auth.key }),
    ...(priv && { privProtocol: netSnmp.PrivProtocols[privProtocols.get(priv.protocol)!]!, privKey: priv.key }),
  };
  const algorithm = auth && netSnmp.Authentication.algorithms[codec.authProtocol!]!;
  let firstHalf: Buffer | undefined;
  const localise = (engine: Buffer, hash: string) => {
    firstHalf ??= createHash(hash)
      .update(Buffer.alloc(1024 * 1024, auth!.key))
      .digest();
    return createHash(hash).update(firstHalf).update(engine).update(firstHalf).digest();
  };
  return {
    name,
    least,
    most: priv ? 2 : auth ? 1 : 0,
    codec,
    authentic(bytes, { from, to }, engine) {
      const length = algorithm?.AUTHENTICATION_CODE_LENGTH;
      if (!algorithm || to - from !== length) return false;
      const hash = algorithm.CRYPTO_ALGORITHM;
      const id = `${engine.toString('hex')} ${name}`;
      const known = localKeys.get(id);
      const key = known ?? localise(engine, hash);
      const hmac = createHmac(hash, key);
      // RFC 3414 section 6.3.2: over the whole message, the digest itself being zeros.
      hmac.update(bytes.subarray(0, from)).update(Buffer.alloc(length)).update(bytes.subarray(to));
      const same = timingSafeEqual(hmac.digest().subarray(0, length), bytes.subarray(from, to));
      if (same && !known) localKeys.set(id, key);
      return same;
    },
    decrypt: (bytes, salt, engine) =>
      netSnmp.Encryption.decryptPdu(codec.privProtocol!, bytes, salt, codec.privKey!, codec.authProtocol!, engine),
  };
}

/** Throws an OperatorError for a user that cannot be. */
export function usersOf(users: readonly SnmpUser[]): ReadonlyMap<string, User> {
  for (const [at, user] of users.entries()) {
    checkUser(user);
    if (users.findIndex(({ name }) => name === user.name) !== at)
      throw refusal(user.name, 'is there twice', 'A name is known once, whatever the engine.');
  }
  const localKeys: LocalKeys = boundedMap(snmpEnginesMax, emptyCodecCache);
  return new Map(users.map((user) => [user.name, userOf(user, localKeys)]));
}
