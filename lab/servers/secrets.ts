// Owns: the lab's passwords and host keys: made once into its folder, kept for the next start, readable by nobody else.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { OperatorError, RuntimeFault } from '../../src/model/errors.ts';
import { byName, type DeviceName, deviceNames } from '../model/addresses.ts';

/** Who gets in, and how the devices prove who they are. */
export interface LabAccess {
  readonly user: string;
  readonly password: SecretFile;
  readonly enable: SecretFile;
  readonly community: SecretFile;
  /** May set over SNMP, as may the user. */
  readonly writeCommunity: SecretFile;
  readonly snmpUser: { readonly name: string; readonly auth: SecretFile; readonly priv: SecretFile };
  readonly hostKeys: Readonly<Record<DeviceName, HostKey>>;
}

export function labAccess(dir: string): LabAccess {
  return {
    user: 'offbox',
    password: labSecret(dir, 'password'),
    enable: labSecret(dir, 'enable-password'),
    // What everybody's is; a file only because an inventory holds no secret.
    community: labSecret(dir, 'snmp-community', () => 'public'),
    writeCommunity: labSecret(dir, 'snmp-write-community'),
    snmpUser: { name: 'offbox', auth: labSecret(dir, 'snmp-auth-key'), priv: labSecret(dir, 'snmp-priv-key') },
    hostKeys: byName(deviceNames, (name) => labHostKey(join(dir, 'devices'), name)),
  };
}

export interface SecretFile {
  readonly path: string;
  readonly value: string;
}

function labSecret(dir: string, name: string, make = () => randomBytes(18).toString('base64url')): SecretFile {
  return kept(join(dir, name), () => `${make()}\n`);
}

export interface HostKey {
  readonly key: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly fingerprint: string;
}

export function labHostKey(dir: string, device: string): HostKey {
  const { path, value } = kept(join(dir, `${device}.key`), newKey);
  const parsed = ssh2.utils.parseKey(value);
  if (parsed instanceof Error)
    throw new OperatorError(`[lab] ${path} is not an SSH private key`, {
      code: 'lab-host-key',
      remedy: 'Remove the file: the next start makes a new one.',
      cause: parsed,
    });
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '');
  return { key: value, fingerprint: `SHA256:${digest}` };
}

/**
 * ssh2 1.17 cuts leading zeros off a public key, so that one pair in 256 cannot be read back: that one is thrown away.
 * Ten in a row: less than 1 in 10^24.
 */
function newKey(): string {
  for (let tries = 0; tries < 10; tries++) {
    const key = ssh2.utils.generateKeyPairSync('ed25519').private;
    if (!(ssh2.utils.parseKey(key) instanceof Error)) return key;
  }
  throw new RuntimeFault('[lab] ssh2 makes no host key that it can read', {
    code: 'lab-host-key',
    remedy: 'Report this with the versions of Node and ssh2.',
  });
}

function kept(path: string, make: () => string): SecretFile {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeFileSync(path, make(), { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
  return { path, value: readFileSync(path, 'utf8').trim() };
}
