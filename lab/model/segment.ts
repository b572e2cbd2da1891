// Owns: a LAN segment: who hears whom. Delivery is in order and never re-entrant, so that one packet's consequences on
// a receiver are over before the next is delivered.

export interface Segment<P> {
  attach(station: string, hear: (packet: P) => void): void;
  send(station: string, packet: P): void;
  /** The station hears nobody and is heard by nobody; its link stays up. */
  split(station: string): void;
  heal(): void;
  readonly splits: ReadonlySet<string>;
}

export function createSegment<P>(): Segment<P> {
  const stations = new Map<string, (packet: P) => void>();
  const splits = new Set<string>();
  const waiting: (() => void)[] = [];
  let delivering = false;

  const deliver = () => {
    if (delivering) return;
    delivering = true;
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) next();
    } finally {
      delivering = false;
    }
  };

  return {
    splits,
    attach: (station, hear) => void stations.set(station, hear),
    send(from, packet) {
      if (splits.has(from)) return;
      for (const [station, hear] of stations) if (station !== from && !splits.has(station)) waiting.push(() => hear(packet));
      deliver();
    },
    split: (station) => void splits.add(station),
    heal: () => splits.clear(),
  };
}
