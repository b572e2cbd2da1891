// Owns: interface names for ifIndex, asked for once however many events wait, and remembered. Names are forgotten when the
// agent starts anew: ifIndex may be dealt out differently then.
import { isIP } from 'node:net';
import { ifNameKeptMs, ifNameQuestionsMax, ifNamesMax } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { boundedMap } from '../snmp/bounded-map.ts';
import { type Answer, type Asker, type InterfaceName, ifNameAsker } from './ask.ts';

export interface Agent {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Without it nothing is asked. */
  readonly community?: string;
  /** SNMPv3: this engine and user speak for the target; both together make its traps authenticated. */
  readonly engine?: string;
  readonly user?: string;
}

export interface Resolver {
  /** At once where it is known, or known not to be had. Never rejects. `peer` is asked where the agent's address is a host name. */
  nameOf(agent: Agent, ifIndex: number, peer: string): InterfaceName | Promise<InterfaceName>;
  /** Names of this agent are asked for anew. */
  forget(agent: string): void;
  /** What is being asked is given up. */
  close(): void;
}

/** How long it is remembered that there is no name, or nobody to ask. */
const noNameKeptMs = ifNameKeptMs / 100;

export function ifNameResolver(wall: Wall, random: () => number, asker: Asker = ifNameAsker(wall, random)): Resolver {
  const names = boundedMap<string, { readonly name: InterfaceName; readonly untilMs: number }>(ifNamesMax);
  /** By agent: raised to forget all its names at once. */
  const generations = new Map<string, number>();
  /** Agents that did not answer, and until when they are left alone. */
  const silentUntilMs = new Map<string, number>();
  const underWay = new Map<string, Promise<InterfaceName>>();
  let closed = false;

  /** Kept under the generation it was asked in: an answer from before a restart is not kept for after it. */
  function learn(key: string, agent: string, answer: Answer): InterfaceName {
    underWay.delete(key);
    const nowMs = wall.monotonic();
    if (answer.kind === 'silence') {
      silentUntilMs.set(agent, nowMs + noNameKeptMs);
      return null;
    }
    silentUntilMs.delete(agent);
    names.set(key, { name: answer.name, untilMs: nowMs + (answer.name === null ? noNameKeptMs : ifNameKeptMs) });
    return answer.name;
  }

  return {
    nameOf({ name: agent, address, port, community }, ifIndex, peer) {
      const key = `${agent} ${generations.get(agent) ?? 0} ${ifIndex}`;
      const nowMs = wall.monotonic();
      const known = names.get(key);
      if (known && known.untilMs > nowMs) return known.name;
      if (community === undefined || closed || (silentUntilMs.get(agent) ?? 0) > nowMs) return null;
      const asked = underWay.get(key);
      if (asked) return asked;
      if (underWay.size >= ifNameQuestionsMax) return null;
      const answer = asker.ask({ address: isIP(address) ? address : peer, port, community }, ifIndex);
      const name = answer.then((found) => learn(key, agent, found));
      underWay.set(key, name);
      return name;
    },
    forget(agent) {
      generations.set(agent, (generations.get(agent) ?? 0) + 1);
      silentUntilMs.delete(agent);
    },
    close() {
      closed = true;
      asker.close();
    },
  };
}
