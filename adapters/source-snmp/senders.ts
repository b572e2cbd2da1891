// Owns: what each sender's clock told last, and so whether it started anew: its notifications until then may be lost.
import type { SnmpFields } from '../../src/model/event.ts';
import { snmpSendersMax } from '../../src/model/limits.ts';
import { boundedMap } from '../snmp/bounded-map.ts';

interface Sender {
  readonly uptime: number | undefined;
  readonly atMs: number;
  readonly boots: number | undefined;
}

const coldStart = '1.3.6.1.6.3.1.1.5.1';
/** sysUpTime is 32 bits of hundredths: it begins again after 497 days, and that is no restart. */
const wrapTicks = 2 ** 32;
/** Datagrams overtake each other: less than this backwards is no restart (10 s). */
const overtakenTicks = 1_000;
/** How far off a clock may be after having wrapped: one minute, and the drift of cheap oscillators over weeks of silence. */
const wrappedTicks = 6_000;

function wrapped(last: Sender & { uptime: number }, uptime: number, nowMs: number): boolean {
  const expected = (last.uptime + (nowMs - last.atMs) / 10) % wrapTicks;
  return expected < last.uptime && Math.abs(expected - uptime) < wrappedTicks;
}

export interface Senders {
  /** Why something may have been missed from this sender, if so. `boots` is its engine's, where authenticated. */
  heard(sender: string, snmp: SnmpFields, nowMs: number, boots?: number): string | undefined;
}

export function senderTable(): Senders {
  const senders = boundedMap<string, Sender>(snmpSendersMax);
  return {
    heard(key, { oid, uptime }, nowMs, boots) {
      const last = senders.get(key);
      const back = last?.uptime !== undefined && uptime !== undefined && uptime < last.uptime;
      const restarted =
        back && last.uptime - uptime > overtakenTicks && !wrapped({ ...last, uptime: last.uptime }, uptime, nowMs);
      const bootsRose = boots !== undefined && last?.boots !== undefined && boots > last.boots;
      const keepsLast = back && !restarted && last.uptime - uptime <= overtakenTicks && oid !== coldStart;
      if (!keepsLast) {
        senders.set(key, { uptime: uptime ?? last?.uptime, atMs: nowMs, boots: boots ?? last?.boots });
      }
      if (oid === coldStart) return 'coldStart: the agent started anew';
      if (bootsRose) return `engineBoots rose from ${last.boots} to ${boots}: the agent started anew`;
      if (restarted) return `sysUpTime fell from ${last.uptime} to ${uptime}: the agent started anew`;
      return undefined;
    },
  };
}
