// Owns: a session with an agent, as far as there is one over UDP: opened when the agent has answered as the inventory says,
// over when it stops answering. Nothing is asked in between: an agent that went is found out by the next question.
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { messageOf, OperatorError } from '../../src/model/errors.ts';
import { snmpRepetitions, snmpWalkRowsMax } from '../../src/model/limits.ts';
import type { SnmpWrite, Target } from '../../src/model/target.ts';
import type { Actuator, Command, Reply, Secrets, Session, SnmpRow } from '../../src/ports/actuator.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { CodecVarbind } from '../snmp/net-snmp.ts';
import { plainValue } from '../snmp/value.ts';
import { Exchange } from './exchange.ts';
import { abandoned, lost, misuse, noAccess, nonsense, type Peer, refused, tooBig, wrongEngine } from './faults.ts';
import { compareOids, isBelow } from './pdu.ts';
import { communitySecurity, type Security, userSecurity } from './security.ts';

export interface SnmpActuatorOptions {
  readonly wall: Wall;
  readonly secrets: Secrets;
  /** 0 to below 1: ids of requests, which whoever forges an answer would have to guess. */
  readonly random?: () => number;
}

const unguessable = (): number => randomInt(2 ** 31) / 2 ** 31;

const sysUpTime = '1.3.6.1.2.1.1.3.0';
const agentPort = 161;

export function snmpActuator({ wall, secrets, random = unguessable }: SnmpActuatorOptions): Actuator {
  return {
    transport: 'snmp',
    async open(name, target, signal) {
      const { snmp } = target;
      if (!snmp?.write) throw noAccess(name);
      const peer: Peer = { name, address: target.address, port: snmp.port ?? agentPort };
      const security = await securityOf(name, snmp.write, secrets, wall);
      const exchange = new Exchange({ wall, peer, security, random, socket: await connected(peer, signal) });
      try {
        const { errorStatus = 0 } = await exchange.ask({ kind: 'get', oids: [sysUpTime] }, 'opening a session', signal);
        if (errorStatus !== 0) throw refused(peer, 'a get of sysUpTime', errorStatus);
        checkEngine(peer, target, security);
      } catch (thrown) {
        exchange.fail(thrown as Error);
        throw thrown;
      }
      return session(peer, exchange);
    },
  };
}

async function securityOf(name: string, write: SnmpWrite, secrets: Secrets, wall: Wall): Promise<Security> {
  const { community, user, auth, priv } = write;
  if (community) return communitySecurity(await secrets(community));
  if (user === undefined || !auth || !priv) throw noAccess(name);
  const account = {
    name: user,
    auth: { protocol: auth.protocol, key: await secrets(auth.key) },
    priv: { protocol: priv.protocol, key: await secrets(priv.key) },
  };
  return userSecurity(account, () => wall.monotonic());
}

/** Its name, where the inventory has it: no other device with the same user and keys is written to. */
function checkEngine(peer: Peer, { snmp }: Target, { engine }: Security): void {
  const wanted = snmp?.engine?.toLowerCase();
  if (engine !== undefined && wanted !== undefined && engine !== wanted) throw wrongEngine(peer, engine, wanted);
}

/** A socket that hears this agent and nobody else. */
async function connected(peer: Peer, signal: AbortSignal): Promise<Socket> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const abort = (): void => reject(abandoned(peer, 'opening a session', signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const { address, family } = await Promise.race([lookup(peer.address), aborted]);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const { promise, resolve, reject: failed } = Promise.withResolvers<void>();
    socket.once('error', failed);
    socket.connect(peer.port, address, () => resolve());
    await promise;
    socket.off('error', failed);
    return socket;
  } catch (thrown) {
    if (signal.aborted) throw abandoned(peer, 'opening a session', signal.reason);
    throw lost(peer, `cannot be reached over SNMP: ${messageOf(thrown)}`, 'Check the address in the inventory.', thrown);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function session(peer: Peer, exchange: Exchange): Session {
  let busy = false;
  return {
    closed: exchange.closed,
    async run(command, signal) {
      if (busy) throw misuse(peer, 'was given a command while another runs', 'Queue the commands of a target.');
      busy = true;
      try {
        return { text: await perform(peer, exchange, command, signal) } satisfies Reply;
      } finally {
        busy = false;
      }
    },
    async close() {
      exchange.fail(new OperatorError(`[actuator-snmp] ${peer.name}: closed`, { code: 'closed', remedy: 'Open it again.' }));
      await exchange.closed;
    },
  };
}

async function perform(peer: Peer, exchange: Exchange, command: Command, signal: AbortSignal): Promise<string> {
  switch (command.kind) {
    case 'snmp-get': {
      const { varbinds, errorStatus = 0 } = await exchange.ask({ kind: 'get', oids: command.oids }, 'being read', signal);
      if (errorStatus !== 0) throw refused(peer, `a get of ${command.oids.join(', ')}`, errorStatus);
      return JSON.stringify(varbinds.filter(({ oid }) => command.oids.includes(oid)).flatMap(rowsOf));
    }
    case 'snmp-walk':
      return JSON.stringify(await walk(peer, exchange, command.below, signal));
    case 'snmp-set': {
      const { oid, integer } = command;
      const { errorStatus = 0 } = await exchange.ask({ kind: 'set', oid, integer }, 'being set', signal);
      if (errorStatus !== 0) throw refused(peer, `a set of ${oid} to ${integer}`, errorStatus);
      return '';
    }
    default:
      throw misuse(peer, `cannot run a ${command.kind} command`, 'Send it over the transport it is of.');
  }
}

/** Every step goes forward and there is a bound: an agent that goes round in circles does not keep us (RFC 3416 section 4.2.3). */
async function walk(peer: Peer, exchange: Exchange, below: string, signal: AbortSignal): Promise<readonly SnmpRow[]> {
  const rows: SnmpRow[] = [];
  let repetitions = snmpRepetitions;
  for (let after = below, steps = 0; ; ) {
    const { varbinds, errorStatus = 0 } = await exchange.ask({ kind: 'bulk', after, repetitions }, 'being walked', signal);
    if (errorStatus === tooBig && repetitions > 1) {
      repetitions = Math.floor(repetitions / 2);
      continue;
    }
    if (errorStatus !== 0) throw refused(peer, `a walk of ${below}`, errorStatus);
    if (varbinds.length === 0) throw nonsense(peer, `answered a walk of ${below} with nothing`);
    for (const varbind of varbinds) {
      if (varbind.type >= noValue) return rows;
      if (compareOids(varbind.oid, after) <= 0) throw nonsense(peer, `goes back from ${after} to ${varbind.oid} in a walk`);
      if (!isBelow(varbind.oid, below)) return rows;
      if (++steps > snmpWalkRowsMax) throw nonsense(peer, `has more than ${snmpWalkRowsMax} rows below ${below}`);
      rows.push(...rowsOf(varbind));
      after = varbind.oid;
    }
  }
}

/** noSuchObject, noSuchInstance, endOfMibView: from here on. In a walk it is the last; agents do not agree on which. */
const noValue = 0x80;

/** None where the varbind has no value. */
function rowsOf(varbind: CodecVarbind): readonly SnmpRow[] {
  const value = varbind.type >= noValue ? null : plainValue(varbind);
  return value === null ? [] : [{ oid: varbind.oid, value }];
}
