// Owns: a libvirt session's life: one conversation, one command at a time, the end.
import { OperatorError, RuntimeFault, TargetError } from '../../src/model/errors.ts';
import type { Actuator, Command, Secrets, Session } from '../../src/ports/actuator.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { connectLibvirt, type LibvirtClient, type LibvirtPeer } from '../libvirt-rpc/index.ts';
import { procedures } from '../libvirt-rpc/protocol.ts';
import { Migrations } from './migrations.ts';
import { readDomains, readHypervisor, readVmNeeds } from './reads.ts';

export interface LibvirtActuatorOptions {
  readonly wall: Wall;
  readonly secrets: Secrets;
}

interface Parts extends LibvirtActuatorOptions {
  readonly peer: LibvirtPeer;
  readonly client: LibvirtClient;
  /** Of the actuator, not of the session: a migration outlives the session that started it. */
  readonly migrations: Migrations;
}

export function libvirtActuator({ wall, secrets }: LibvirtActuatorOptions): Actuator {
  const migrations = new Migrations({ wall, secrets });
  return {
    transport: 'libvirt',
    async open(name, target, signal) {
      const access = target.libvirt;
      if (!access) {
        throw new OperatorError(`[actuator-libvirt] ${name} has no libvirt access in the inventory`, {
          code: 'no-libvirt',
          remedy: 'Give the target a libvirt section.',
        });
      }
      const peer: LibvirtPeer = { adapter: 'actuator-libvirt', name, address: target.address, access };
      const mode = access.write ? 'read-write' : 'read-only';
      const client = await connectLibvirt(peer, { wall, secrets, mode }, signal);
      return session({ wall, secrets, peer, client, migrations });
    },
  };
}

function session(parts: Parts): Session {
  const { peer, client } = parts;
  let busy = false;
  return {
    closed: client.ended.then(() => undefined),
    async run(command, signal) {
      if (busy) throw misuse(peer, 'was given a command while another runs', 'Queue the commands of a target.');
      busy = true;
      // libvirtd goes on with a call that nobody waits for: what it then did cannot be known, so the session ends.
      const abort = (): void => client.fail(abandoned(peer, command.kind, signal.reason));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      try {
        return { text: await perform(command, parts, signal) };
      } catch (error) {
        throw signal.aborted && !(error instanceof TargetError) ? abandoned(peer, command.kind, error) : error;
      } finally {
        signal.removeEventListener('abort', abort);
        busy = false;
      }
    },
    close: () => client.close(),
  };
}

async function perform(command: Command, parts: Parts, signal: AbortSignal): Promise<string> {
  const { peer, client, migrations } = parts;
  switch (command.kind) {
    case 'libvirt':
      return JSON.stringify(await read(command, parts));
    case 'migrate':
      mayWrite(peer, 'migrate');
      return migrations.start(peer, client, command, signal);
    case 'abort-job': {
      mayWrite(peer, 'abort a job');
      const { dom } = await client.call(procedures.lookupByUuid, { uuid: command.uuid });
      await client.call(procedures.abortJob, { dom });
      return '';
    }
    default:
      throw misuse(peer, `cannot run a ${command.kind} command`, 'Send it over CLI or NETCONF.');
  }
}

function read(command: Extract<Command, { kind: 'libvirt' }>, { peer, client, migrations }: Parts): Promise<unknown> {
  switch (command.call) {
    case 'domains':
      return readDomains(client, command.about, {
        underWay: (uuid) => migrations.isUnderWay(peer.name, uuid),
        failureOf: (uuid) => migrations.failureOf(peer.name, uuid),
      });
    case 'hypervisor':
      return readHypervisor(client);
    case 'vm-needs':
      if (command.about === undefined) throw misuse(peer, 'was asked for the needs of no VM', 'Say which, by UUID or name.');
      return readVmNeeds(client, command.about);
  }
}

function mayWrite(peer: LibvirtPeer, what: string): void {
  if (peer.access.write) return;
  throw new OperatorError(`[actuator-libvirt] Offbox may not ${what} on ${peer.name}`, {
    code: 'not-writable',
    remedy: 'Set write: true in its libvirt section, if it shall.',
  });
}

function abandoned(peer: LibvirtPeer, during: string, cause: unknown): TargetError {
  return new TargetError(`[actuator-libvirt] ${peer.name}: gave up while running ${during}, the session is closed`, {
    code: 'aborted',
    retry: true,
    remedy: 'The deadline passed or Offbox is stopping; what was sent last may have taken effect.',
    cause,
  });
}

function misuse(peer: LibvirtPeer, what: string, remedy: string): RuntimeFault {
  return new RuntimeFault(`[actuator-libvirt] ${peer.name} ${what}`, { code: 'bad-command', remedy });
}
