// Owns: a sink that keeps what it is told, and the libvirt source over fake libvirtds.
import { libvirtSource } from '../../adapters/source-libvirt/index.ts';
import type { Event } from '../../src/model/event.ts';
import type { Target } from '../../src/model/target.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { realWall } from '../../src/runtime/wall.ts';

export interface Heard extends Sink {
  readonly events: Event[];
  readonly gaps: string[];
  /** While false, offers are refused. */
  room: boolean;
  /** How many were. */
  refused: number;
  /** `kvm1 lifecycle vm2 started booted`, of each event. */
  lines(): readonly string[];
  /** Resolves once it is so; asked again at every offer and gap. */
  until(so: () => boolean): Promise<void>;
  /** Once there is such a line. */
  line(text: string): Promise<Event>;
}

export function hearing(): Heard {
  let waiting: { readonly so: () => boolean; readonly resolve: () => void }[] = [];
  const look = (): void => {
    for (const each of waiting) if (each.so()) each.resolve();
    waiting = waiting.filter(({ so }) => !so());
  };
  const heard: Heard = {
    events: [],
    gaps: [],
    room: true,
    refused: 0,
    offer(events, committed) {
      if (heard.room) {
        heard.events.push(...events);
        committed?.();
      } else heard.refused += 1;
      queueMicrotask(look);
      return heard.room;
    },
    gap(reason, targets) {
      heard.gaps.push(`${targets?.join(' ')}: ${reason}`);
      queueMicrotask(look);
    },
    lines: () => heard.events.map(({ target, origin }) => `${target} ${origin.raw}`),
    until: (so) =>
      new Promise((resolve) => {
        waiting.push({ so, resolve });
        look();
      }),
    async line(text) {
      await heard.until(() => heard.lines().includes(text));
      return heard.events[heard.lines().indexOf(text)]!;
    },
  };
  return heard;
}

export const targetAt = (socket: string, uri = 'test:///default'): Target => {
  return { platform: 'libvirt', address: '192.0.2.1', libvirt: { transport: 'unix', uri, socket, write: false } };
};

/** Hypervisors by name, each at its socket. */
export function watching(sockets: Readonly<Record<string, string>>, wall: Wall = realWall, uri?: string): Source {
  const targets = Object.fromEntries(Object.entries(sockets).map(([name, socket]) => [name, targetAt(socket, uri)]));
  return libvirtSource({ inventory: { targets }, wall, secrets: async () => '', random: () => 0 });
}
