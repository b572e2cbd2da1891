// Owns: the lab's passwords and host keys: made once into its folder, kept for the next start, readable by nobody else.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { OperatorError } from '../../src/model/errors.ts';
import { byName, type DeviceName, deviceNames } from '../model/addresses.ts';
import { newKeyPair } from './ssh-keys.ts';

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
  const { path, value } = kept(join(dir, `${device}.key`), () => newKeyPair().private);
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

function kept(path: string, make: () => string): SecretFile {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeFileSync(path, make(), { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
  return { path, value: readFileSync(path, 'utf8').trim() };
}
