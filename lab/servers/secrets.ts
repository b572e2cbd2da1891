// Owns: the lab's passwords and host keys: made once into its folder, kept for the next start, readable by nobody else.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { OperatorError } from '../../src/model/errors.ts';

export interface SecretFile {
  readonly path: string;
  readonly value: string;
}

export function labSecret(dir: string, name: string, make = () => randomBytes(18).toString('base64url')): SecretFile {
  return kept(join(dir, name), () => `${make()}\n`);
}

export interface HostKey {
  readonly key: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly fingerprint: string;
}

export function labHostKey(dir: string, device: string): HostKey {
  const { path, value } = kept(join(dir, `${device}.key`), () => ssh2.utils.generateKeyPairSync('ed25519').private);
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
