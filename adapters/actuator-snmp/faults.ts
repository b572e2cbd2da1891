// Owns: what can go wrong with an agent, as errors: whose fault, whether to try again, what to do.
import { OperatorError, RuntimeFault, TargetError } from '../../src/model/errors.ts';
import type { ReportCause } from './security.ts';

export interface Peer {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

const place = ({ name, address, port }: Peer): string => `[actuator-snmp] ${name} (${address} port ${port})`;

/** The session ends with it. What was set last may be so: that is found out by reading. */
export function lost(peer: Peer, what: string, remedy: string, cause?: unknown): TargetError {
  return new TargetError(`${place(peer)} ${what}`, { code: 'connection-lost', retry: true, remedy, cause });
}

export function abandoned(peer: Peer, during: string, cause?: unknown): TargetError {
  return new TargetError(`[actuator-snmp] ${peer.name}: gave up while ${during}, the session is closed`, {
    code: 'aborted',
    retry: true,
    remedy: 'The deadline passed or Offbox is stopping; what was sent last may have taken effect.',
    cause,
  });
}

const causes: Readonly<Record<ReportCause, readonly [what: string, remedy: string]>> = {
  'unsupported-level': ['does not let this user in with authPriv', 'Give the user a view with "priv" on it.'],
  'not-in-time-window': ['finds our clock wrong, over and over', 'Look whether two devices have the same engine id.'],
  'unknown-user': ['does not know this SNMPv3 user', 'Correct snmp.write.user, or create the user on it.'],
  'unknown-engine': ['has another engine id than it said', 'Look whether another device has taken its address.'],
  'wrong-digest': ['finds the digest wrong', 'Correct snmp.write.auth: its protocol and key.'],
  'decryption-error': ['cannot decrypt', 'Correct snmp.write.priv: its protocol and key.'],
  other: ['refused the message', 'Look at its log.'],
};

/** At the beginning it is the credentials; later the agent has become another, and opening anew tells. */
export function reported(peer: Peer, cause: ReportCause, when: 'opening' | 'open'): TargetError {
  const [what, remedy] = causes[cause];
  return new TargetError(`${place(peer)} ${what}`, { code: cause, retry: when === 'open', remedy });
}

export function wrongEngine(peer: Peer, found: string, wanted: string): TargetError {
  return new TargetError(`${place(peer)} is engine ${found}, not ${wanted} as the inventory says`, {
    code: 'engine-mismatch',
    retry: false,
    remedy: 'Find out which device answers there; correct snmp.engine only if it is the right one.',
  });
}

/** RFC 3416 section 3, by number. */
const statuses = [
  'noError',
  'tooBig',
  'noSuchName',
  'badValue',
  'readOnly',
  'genErr',
  'noAccess',
  'wrongType',
  'wrongLength',
  'wrongEncoding',
  'wrongValue',
  'noCreation',
  'inconsistentValue',
  'resourceUnavailable',
  'commitFailed',
  'undoFailed',
  'authorizationError',
  'notWritable',
  'inconsistentName',
] as const;
export const tooBig = 1;

const forbidden: readonly string[] = ['noAccess', 'authorizationError', 'noSuchName', 'readOnly', 'notWritable'];

/** The agent's no. */
export function refused({ name }: Peer, what: string, status: number): TargetError {
  const word = statuses[status] ?? `error ${status}`;
  const access = forbidden.includes(word)
    ? 'Let the user or community write there (its view), or'
    : 'Its agent may not support it:';
  return new TargetError(`[actuator-snmp] ${name} answered ${word} to ${what}`, {
    code: 'snmp-refused',
    retry: false,
    remedy: `${access} give the target a cli section: then nothing goes over SNMP.`,
  });
}

export function nonsense({ name }: Peer, what: string): TargetError {
  return new TargetError(`[actuator-snmp] ${name} ${what}`, {
    code: 'unreadable',
    retry: false,
    remedy: 'Its agent has a fault: give the target a cli section, then nothing goes over SNMP.',
  });
}

export function noAccess(name: string): OperatorError {
  return new OperatorError(`[actuator-snmp] ${name} has no write access over SNMP in the inventory`, {
    code: 'no-snmp',
    remedy: 'Give the target snmp.write.',
  });
}

export function misuse({ name }: Peer, what: string, remedy: string): RuntimeFault {
  return new RuntimeFault(`[actuator-snmp] ${name} ${what}`, { code: 'bad-command', remedy });
}
