// Owns: the informs under way and those answered. An inform is answered AFTER its entry is durable and not before; one
// sent again meanwhile is not offered twice, and one sent again afterwards is answered again without a second event.
import { snmpInformsMax, snmpTimeWindowSeconds } from '../../src/model/limits.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { boundedMap } from '../snmp/bounded-map.ts';

interface Inform {
  state: 'under-way' | 'answered' | 'failed';
  answeredAtMs: number;
  /** Answers the newest copy (SNMPv3 gives each its own msgID, and the sender waits for the last); let go of when done. */
  answer: () => void;
}

export interface Informs {
  /** `offer`: it is to be offered, and `settle` called. Otherwise it is dealt with, or a replay to be dropped. */
  begin(
    key: string,
    seen: boolean,
    answer: () => void,
  ): { readonly kind: 'offer'; settle(error?: Error): void } | { readonly kind: 'known' | 'replayed' };
}

export function informTable(wall: Wall, max: number = snmpInformsMax): Informs {
  const table = boundedMap<string, Inform>(max);

  function offer(key: string, inform: Inform) {
    table.set(key, inform);
    const settle = (error?: Error) => {
      inform.state = error ? 'failed' : 'answered';
      inform.answeredAtMs = wall.monotonic();
      const { answer } = inform;
      inform.answer = () => {};
      if (!error) answer();
    };
    return { kind: 'offer', settle } as const;
  }

  return {
    begin(key, seen, answer) {
      const inform = table.get(key);
      const fresh = { state: 'under-way', answeredAtMs: 0, answer } as const;
      // Kept for as long as the time window: an agent that restarts may well begin again with the same request ids.
      const over = inform?.state === 'answered' && wall.monotonic() - inform.answeredAtMs > snmpTimeWindowSeconds * 1000;
      if (!inform || over) return seen ? { kind: 'replayed' } : offer(key, { ...fresh });
      if (inform.state === 'failed') return offer(key, { ...fresh });
      if (inform.state === 'answered') answer();
      else inform.answer = answer;
      return { kind: 'known' };
    },
  };
}
