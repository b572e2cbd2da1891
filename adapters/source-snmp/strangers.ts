// Owns: how many SNMPv3 messages an address may send under engines we have never seen authentic: each costs a digest.
import { snmpStrangerSourcesMax, snmpStrangersPerSecond } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { boundedMap } from '../snmp/bounded-map.ts';

/** A token bucket for each address: one second's worth at most. */
export function strangerAllowance(wall: Wall, perSecond: number = snmpStrangersPerSecond): (peer: string) => boolean {
  const buckets = boundedMap<string, { left: number; atMs: number }>(snmpStrangerSourcesMax);
  return (peer) => {
    const nowMs = wall.monotonic();
    let bucket = buckets.get(peer);
    if (!bucket) {
      bucket = { left: perSecond, atMs: nowMs };
      buckets.set(peer, bucket);
    }
    bucket.left = Math.min(perSecond, bucket.left + ((nowMs - bucket.atMs) * perSecond) / 1000);
    bucket.atMs = nowMs;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  };
}
