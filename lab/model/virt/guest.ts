// Owns: what a guest sends out of its hypervisor's switch port: frames while it runs, and QEMU's announcements where it arrives.
import type { Wall } from '../../../src/ports/wall.ts';

/** A guest that does little says something this often. */
const chatterMs = 200;
/** QEMU's RARPs, from the moment a migrated guest runs: the first is on the wire before libvirt's event is. Measured. */
const announcementsMs = [0, 45, 195, 445, 795] as const;

export interface GuestVoice {
  /** The guest runs. `arrived`: by migration, so QEMU announces it. */
  speak(how: 'arrived' | 'plain'): void;
  /** The guest does not run here: nothing more is sent, not even an announcement. */
  hush(): void;
}

export function createGuestVoice(wall: Wall, send: () => void): GuestVoice {
  const timers = new Set<() => void>();
  const hush = () => {
    for (const cancel of timers) cancel();
    timers.clear();
  };
  const later = (ms: number, what: () => void) => {
    const cancel = wall.after(ms, () => {
      timers.delete(cancel);
      what();
    });
    timers.add(cancel);
  };
  const chatter = () => {
    later(chatterMs, () => {
      send();
      chatter();
    });
  };
  return {
    speak(how) {
      hush();
      // The first one in the same instant, whatever the clock does.
      send();
      if (how === 'arrived') for (const ms of announcementsMs.slice(1)) later(ms, send);
      chatter();
    },
    hush,
  };
}
