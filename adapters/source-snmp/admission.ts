// Owns: the way of a checked notification to the sink: whose it is, what it means, which interface it speaks of, in order
// of arrival per peer; and what is told as a gap on the way.
import type { Event } from '../../src/model/event.ts';
import { interfaceName } from '../../src/model/interface-name.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { Sink } from '../../src/ports/source.ts';
import { trapMeaning } from '../platforms/trap-meanings.ts';
import type { InterfaceName } from './ask.ts';
import type { Accepted } from './check.ts';
import type { Gaps } from './gaps.ts';
import { orderPerPeer } from './order.ts';
import type { Agent, Resolver } from './resolve.ts';
import type { Senders } from './senders.ts';

type Committed = (error?: Error) => void;

interface Offer {
  readonly event: Event;
  readonly committed: Committed | undefined;
}

export interface AdmissionOptions {
  readonly sink: Sink;
  readonly gaps: Gaps;
  readonly resolver: Resolver;
  readonly senders: Senders;
  readonly agentOf: (peer: string) => Agent | undefined;
  readonly nowMs: () => number;
  /** A notification was dropped for want of room. */
  readonly noRoom: () => void;
}

export interface Admission {
  /** `committed` is called once, also where there is no room. */
  admit(accepted: Accepted, peer: string, committed?: Committed): void;
  /** Lets go of what waits for an interface name. */
  flush(): void;
}

/** The meaning with its interface by name; one that has it, or has no ifIndex, as it is. */
function named(meaning: Meaning | null, name: InterfaceName): Meaning | null {
  if (name === null || !meaning || !('ifIndex' in meaning)) return meaning;
  const { ifIndex: _, ...rest } = meaning;
  return { ...rest, interface: interfaceName(name) } as Meaning;
}

const ifIndexOf = (meaning: Meaning | null) => (meaning && 'ifIndex' in meaning ? meaning.ifIndex : undefined);

export function admission({ sink, gaps, resolver, senders, agentOf, nowMs, noRoom }: AdmissionOptions): Admission {
  function refuse({ event, committed }: Offer): void {
    noRoom();
    gaps.tell('there was no room for a notification', event.target);
    committed?.(new Error('no room'));
  }
  const order = orderPerPeer<Offer>((offer) => {
    if (!sink.offer([offer.event], offer.committed)) refuse(offer);
  });

  /** Whether it speaks of its sender, as far as anybody can tell: a relay speaks of others, and NAT hides who is who. */
  function isOwn({ trapAddress }: Accepted, peer: string, agent: Agent | undefined): boolean {
    if (trapAddress === undefined || trapAddress === peer) return true;
    return agent !== undefined && agentOf(trapAddress)?.name === agent.name;
  }

  /** Pinned: this engine and this user speak for this target. An inform comes under our own engine: its key proves who the
   * user is and not who sent it, so it stays claimed. */
  function trustOf({ snmp, vouched }: Accepted, agent: Agent | undefined): Event['origin']['trust'] {
    if (!vouched || agent?.engine === undefined || agent.user === undefined) return 'claimed';
    return agent.engine.toLowerCase() === snmp.engine && agent.user === snmp.user ? 'authenticated' : 'claimed';
  }

  function eventOf(accepted: Accepted, peer: string, agent: Agent | undefined, own: boolean): Event {
    const trust = own ? trustOf(accepted, agent) : 'claimed';
    return {
      ...(agent && { target: agent.name }),
      meaning: trapMeaning(accepted.snmp),
      snmp: accepted.snmp,
      origin: { source: 'snmp', peer, transport: 'udp', trust, raw: accepted.raw },
    };
  }

  /** Passes it on with its interface by name where the agent has one for its ifIndex, else as it is. */
  function passOn(event: Event, committed: Committed | undefined, asked: Agent | undefined): void {
    const { meaning } = event;
    const { peer } = event.origin;
    const ifIndex = ifIndexOf(meaning);
    const offerAs = (name: InterfaceName): Offer => ({ event: { ...event, meaning: named(meaning, name) }, committed });
    const name = asked && ifIndex !== undefined ? resolver.nameOf(asked, ifIndex, peer) : null;
    const taken =
      name instanceof Promise ? order.passLater(peer, name.then(offerAs), offerAs(null)) : order.pass(peer, offerAs(name));
    if (!taken) refuse({ event, committed });
  }

  return {
    admit(accepted, peer, committed) {
      const agent = agentOf(peer);
      const own = isOwn(accepted, peer, agent);
      const restart = senders.heard(`${peer} ${accepted.trapAddress ?? ''}`, accepted.snmp, nowMs(), accepted.boots);
      if (restart && agent && own) {
        resolver.forget(agent.name);
        gaps.tell(restart, agent.name);
      }
      passOn(eventOf(accepted, peer, agent, own), committed, own ? agent : undefined);
    },
    flush: order.flush,
  };
}
