// Port: a session with one target, and the commands that go over it. An actuator knows a transport and its framing, a
// platform (ports/platform.ts) knows what to say; neither knows why.
//
// Ordering law: `run` sends nothing before it is called and has everything of the answer when it resolves. A command
// that changes is 'configure', 'edit', an `rpc` or 'snmp-set'; the runtime journals its attempt BEFORE it calls run.
import type { Target } from '../model/target.ts';

/** One thing to say to a target. */
export type Command =
  /** One exec-mode line; the answer is its output, paging undone, prompt and echo cut off. */
  | { readonly kind: 'cli'; readonly line: string }
  /** Lines in configuration mode; the actuator enters and leaves it. Stops at the first one the device refuses. */
  | { readonly kind: 'configure'; readonly lines: readonly string[] }
  /** NETCONF <get> with a subtree filter (the inner XML). */
  | { readonly kind: 'get'; readonly filter: string }
  /** NETCONF <get-config> of running with a subtree filter. */
  | { readonly kind: 'get-config'; readonly filter: string }
  /** NETCONF edit of the configuration (the inner XML of <config>), as one transaction of the best kind the target has. */
  | { readonly kind: 'edit'; readonly config: string; readonly confirm: 'on-loss' | 'never' }
  /** Any other NETCONF operation (the inner XML of <rpc>). */
  | { readonly kind: 'rpc'; readonly operation: string }
  /** A call of libvirt that only reads; the answer is JSON, or XML where libvirt gives that. */
  | { readonly kind: 'libvirt'; readonly call: LibvirtRead; readonly about?: string }
  /**
   * Starts a peer-to-peer migration on its source, answered when libvirtd has taken it up or refused it, not when it is over:
   * that is read (`domains`).
   */
  | { readonly kind: 'migrate'; readonly uuid: string; readonly uri: string; readonly options: MigrateOptions }
  | { readonly kind: 'abort-job'; readonly uuid: string }
  /** SNMP: these instances; the answer is SnmpRow[] as JSON, without those that are not there. */
  | { readonly kind: 'snmp-get'; readonly oids: readonly string[] }
  /** SNMP: every instance below an OID, in order; SnmpRow[] as JSON. Rejects where there are more than a table can have. */
  | { readonly kind: 'snmp-walk'; readonly below: string }
  /** SNMP: one INTEGER, sent once. The answer is empty. */
  | { readonly kind: 'snmp-set'; readonly oid: string; readonly integer: number };

/**
 * - `domains`: DomainRow[], all of the host, with job and progress.   - `hypervisor`: HypervisorRow.
 * - `vm-needs`: VmNeedsRow; `about` is a UUID or a name.
 */
export type LibvirtRead = 'domains' | 'hypervisor' | 'vm-needs';

/** One instance. Octets are text where they are printable, else `0x…`; Counter64 is a decimal text. */
export interface SnmpRow {
  readonly oid: string;
  readonly value: number | string;
}

/** What lets a migration survive a WAN. */
export interface MigrateOptions {
  /** MiB/s; absent: as much as there is. */
  readonly bandwidthMiBs?: number;
  /** Slows the guest down until it fits through. */
  readonly autoConverge: boolean;
  /** May be switched to post-copy where it does not converge. */
  readonly postCopy: boolean;
  /** Defined at the destination, undefined at the source. */
  readonly persistent: boolean;
}

export type Transport = 'cli' | 'netconf' | 'libvirt' | 'snmp';
export const transportOf: Readonly<Record<Command['kind'], Transport>> = {
  cli: 'cli',
  configure: 'cli',
  get: 'netconf',
  'get-config': 'netconf',
  edit: 'netconf',
  rpc: 'netconf',
  libvirt: 'libvirt',
  migrate: 'libvirt',
  'abort-job': 'libvirt',
  'snmp-get': 'snmp',
  'snmp-walk': 'snmp',
  'snmp-set': 'snmp',
};

/** Whether the inventory gives this access. SNMP is for targets without a command line: a second way to write is one too many. */
export function gives(target: Target, transport: Transport): boolean {
  if (transport !== 'snmp') return target[transport] !== undefined;
  return target.snmp?.write !== undefined && target.cli === undefined;
}

/** `text` is what the device said: CLI output, the inner XML of <data> / <rpc-reply>, or JSON. */
export interface Reply {
  readonly text: string;
}

export interface Session {
  /** Rejects with a TargetError: `retry: true` for faults of transport (session is then closed), false for a device's no. */
  run(command: Command, signal: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
  /** Settles when the session is over, by whomever. Never rejects. */
  readonly closed: Promise<void>;
}

export interface Actuator {
  readonly transport: Transport;
  /** Opens a warm session. Rejects with a TargetError, or an OperatorError where the inventory lacks what it needs. */
  open(name: string, target: Target, signal: AbortSignal): Promise<Session>;
}

/** Resolves secret references. Never logs or keeps what it returns. */
export type Secrets = (reference: NonNullable<Target['cli']>['password'] & object) => Promise<string>;
