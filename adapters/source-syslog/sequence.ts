// Owns: what a sender's own count says is missing. IOS numbers the messages it sends; a jump is a loss on the way, a fall
// is a reload. Sans I/O.
import { syslogSendersMax } from '../../src/model/limits.ts';

interface Count {
  last: number;
  /** Bit n: the number `last - n` was seen. UDP may bring a few in another order. */
  seen: number;
}

/** Numbers this far behind the newest may still be on their way. */
const window = 31;

export class Sequences {
  readonly #counts = new Map<string, Count>();

  /** What `count` says was missed of this sender, in words; null where nothing. Beyond the bound the oldest sender is forgotten. */
  missed(sender: string, count: number): string | null {
    const known = this.#counts.get(sender);
    if (!known) {
      if (this.#counts.size >= syslogSendersMax) this.#counts.delete(this.#counts.keys().next().value!);
      this.#counts.set(sender, { last: count, seen: 1 });
      return null;
    }
    const ahead = count - known.last;
    if (ahead === 1) {
      known.last = count;
      known.seen = (known.seen << 1) | 1;
      return null;
    }
    return ahead > 0 ? jumped(known, count, ahead) : fell(known, count, -ahead);
  }
}

function jumped(known: Count, count: number, ahead: number): string {
  const first = known.last + 1;
  known.last = count;
  known.seen = ahead > window ? 1 : (known.seen << ahead) | 1;
  return ahead === 2 ? `message ${first} did not come` : `messages ${first} to ${count - 1} did not come (${ahead - 1})`;
}

function fell(known: Count, count: number, behind: number): string | null {
  if (behind === 0) return null; // the same datagram twice
  if (behind <= window && (known.seen & (1 << behind)) === 0) {
    known.seen |= 1 << behind; // late, not lost
    return null;
  }
  const was = known.last;
  known.last = count;
  known.seen = 1;
  return `it counts from ${count} again after ${was}: it restarted`;
}
