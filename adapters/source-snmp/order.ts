// Owns: order of arrival per sender. An event that waits for an interface name holds back those behind it from the same
// peer, and nobody else's. What waits is bounded.
import { snmpWaitingMax } from '../../src/model/limits.ts';

interface Waiting<T> {
  ready: T | undefined;
  /** What it goes on as where it is let go before its time. */
  readonly otherwise: T;
}

export interface Order<T> {
  /** Passes it on now if nothing waits before it. False where there is no room to wait. */
  pass(peer: string, item: T): boolean;
  /** Passes on what the promise brings, in its turn; `otherwise` if it must go earlier. The promise never rejects. */
  passLater(peer: string, later: Promise<T>, otherwise: T): boolean;
  /** Lets everything go that waits, in order. */
  flush(): void;
}

export function orderPerPeer<T>(passOn: (item: T) => void, max: number = snmpWaitingMax): Order<T> {
  const lines = new Map<string, Waiting<T>[]>();
  let waiting = 0;

  function enter(peer: string, ready: T | undefined, otherwise: T): Waiting<T> | undefined {
    if (waiting >= max) return undefined;
    const line = lines.get(peer) ?? [];
    const place = { ready, otherwise };
    line.push(place);
    lines.set(peer, line);
    waiting++;
    return place;
  }

  function advance(peer: string): void {
    const line = lines.get(peer);
    if (!line) return;
    let gone = 0;
    while (gone < line.length && line[gone]!.ready !== undefined) gone++;
    waiting -= gone;
    const items = line.splice(0, gone);
    if (line.length === 0) lines.delete(peer);
    for (const { ready } of items) passOn(ready!);
  }

  return {
    pass(peer, item) {
      if (lines.has(peer)) return enter(peer, item, item) !== undefined;
      passOn(item);
      return true;
    },
    passLater(peer, later, otherwise) {
      const place = enter(peer, undefined, otherwise);
      if (!place) return false;
      void later.then((item) => {
        place.ready ??= item;
        advance(peer);
      });
      return true;
    },
    flush() {
      for (const [peer, line] of [...lines]) {
        for (const place of line) place.ready ??= place.otherwise;
        advance(peer);
      }
    },
  };
}
