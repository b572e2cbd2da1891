// Owns: making SSH key pairs that can be read back.
import ssh2 from 'ssh2';
import { RuntimeFault } from '../../src/model/errors.ts';

export interface KeyPair {
  /** In OpenSSH's form. */
  readonly private: string;
  readonly public: string;
}

/**
 * ssh2 1.17 cuts leading zeros off a public key, so that one pair in 256 cannot be read back: that one is thrown away.
 * Ten in a row: less than 1 in 10^24.
 */
export function newKeyPair(): KeyPair {
  for (let tries = 0; tries < 10; tries++) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
  throw new RuntimeFault('[lab] ssh2 makes no key that it can read', {
    code: 'lab-host-key',
    remedy: 'Report this with the versions of Node and ssh2.',
  });
}
