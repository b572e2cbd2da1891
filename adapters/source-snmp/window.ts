// Owns: whether an authentic SNMPv3 message is new: the time window (RFC 3414 section 3.2 step 7) and the check that it
// was not seen before, which net-snmp has neither of. Only authentic messages come here, so no forger fills these tables.
//
// W1 Where our engine is authoritative (informs) boots must be ours and time within 150 s of ours, either way.
// W2 Where the sender's is (traps) boots and time may go on as they like, and back by less than 150 s.
// W3 A digest is kept until its message is refused for its age; where there is no room for that, the age refused is raised.
import { snmpEnginesMax, snmpSeenDigestsMax, snmpTimeWindowSeconds } from '../../src/model/limits.ts';
import { boundedMap } from '../snmp/bounded-map.ts';

/** The largest msgAuthoritativeEngineBoots there is: an engine that has come so far is never in time again. */
const bootsMax = 2_147_483_647;

interface Clock {
  boots: number;
  /** Latest time of the engine, and when we had it. */
  time: number;
  atMs: number;
  /** Messages of this time or before are refused: their digests may be forgotten. */
  floor: number;
  /** Digest to the engine time of its message, in order of arrival. */
  digests: Map<string, number>;
}

export interface Stamp {
  /** Authoritative engine and user, in one text. */
  readonly key: string;
  readonly boots: number;
  readonly time: number;
  readonly digest: string;
}

export type Freshness = 'new' | 'seen' | 'not-in-time-window';

export interface Window {
  /** Whether this (engine, user) has been authentic before. */
  knows(key: string): boolean;
  /** `ours` is our own engine's clock, where it is the authoritative one. */
  check(stamp: Stamp, nowMs: number, ours?: { readonly boots: number; readonly time: number }): Freshness;
}

export function timeWindow(limits: { readonly engines: number; readonly digests: number } = defaults): Window {
  let remembered = 0;
  const clocks = boundedMap<string, Clock>(limits.engines, (clock) => {
    remembered -= clock.digests.size;
  });

  /** Forgets digests of messages that the window refuses anyway, and the first ones where there is no room (W3). */
  function prune(clock: Clock, timeNow: number): void {
    for (const [digest, time] of clock.digests) {
      if (time >= timeNow - snmpTimeWindowSeconds && remembered < limits.digests) return;
      clock.floor = Math.max(clock.floor, time);
      clock.digests.delete(digest);
      remembered--;
    }
  }

  function restart(clock: Clock | undefined, { key, boots, time }: Stamp, nowMs: number): Clock {
    remembered -= clock?.digests.size ?? 0;
    const fresh: Clock = { boots, time, atMs: nowMs, floor: -1, digests: new Map() };
    clocks.set(key, fresh);
    return fresh;
  }

  function check(stamp: Stamp, nowMs: number, ours?: { readonly boots: number; readonly time: number }): Freshness {
    let clock = clocks.get(stamp.key);
    if (stamp.boots >= bootsMax || stamp.boots < 0 || stamp.time < 0) return 'not-in-time-window';
    if (ours && (stamp.boots !== ours.boots || Math.abs(stamp.time - ours.time) > snmpTimeWindowSeconds)) {
      return 'not-in-time-window';
    }
    if (!clock || stamp.boots > clock.boots) clock = restart(clock, stamp, nowMs);
    if (stamp.boots < clock.boots) return 'not-in-time-window';
    if (clock.digests.has(stamp.digest)) return 'seen';
    const timeNow = ours?.time ?? clock.time + Math.floor((nowMs - clock.atMs) / 1000);
    if (!ours && stamp.time > clock.time) {
      clock.time = stamp.time;
      clock.atMs = nowMs;
    } else if (!ours && stamp.time < clock.time && stamp.time < timeNow - snmpTimeWindowSeconds) {
      return 'not-in-time-window';
    }
    // Before, so that what is refused makes nothing be forgotten; and after, for making room may have raised the floor.
    if (stamp.time <= clock.floor) return 'not-in-time-window';
    prune(clock, ours?.time ?? clock.time);
    if (stamp.time <= clock.floor) return 'not-in-time-window';
    clock.digests.set(stamp.digest, stamp.time);
    remembered++;
    return 'new';
  }

  return { knows: (key) => clocks.get(key) !== undefined, check };
}

const defaults = { engines: snmpEnginesMax, digests: snmpSeenDigestsMax };
