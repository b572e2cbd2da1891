// Owns: the libvirt source: one watch for every hypervisor of the inventory, and what they count together.

import { libvirtListingsMax, libvirtSpreadMs } from '../../src/model/limits.ts';
import type { Inventory, LibvirtAccess } from '../../src/model/target.ts';
import type { Secrets } from '../../src/ports/actuator.ts';
import type { Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { Turns } from '../libvirt-rpc/turns.ts';
import { flowing } from './flow.ts';
import { Watch } from './watch.ts';

export interface LibvirtSourceOptions {
  /** Its targets of platform `libvirt` that have a libvirt section are watched. */
  readonly inventory: Pick<Inventory, 'targets'>;
  readonly wall: Wall;
  readonly secrets: Secrets;
  /** From 0 up to 1, as Math.random: spreads reconnecting. */
  readonly random?: () => number;
}

interface Hypervisor {
  readonly name: string;
  readonly address: string;
  readonly access: LibvirtAccess;
}

export function libvirtSource({ inventory, wall, secrets, random = Math.random }: LibvirtSourceOptions): Source {
  const dropped = { overflow: 0 };
  let received = 0;
  let watches: readonly Watch[] = [];
  return {
    name: 'libvirt',
    /** Resolves at once: a hypervisor that cannot be reached is a gap, and is tried again for ever. */
    async start(to) {
      const sink = flowing(to, {
        pause: () => {
          for (const watch of watches) watch.pause();
        },
        resume: () => {
          for (const watch of watches) watch.resume();
        },
      });
      const listings = new Turns(libvirtListingsMax);
      const count = (what: 'received' | keyof typeof dropped): void => {
        if (what === 'received') received += 1;
        else dropped[what] += 1;
      };
      watches = hypervisorsOf(inventory).map((each) => {
        return new Watch({ adapter: 'source-libvirt', ...each }, { wall, secrets, sink, listings, random, count });
      });
      for (const [index, watch] of watches.entries()) watch.start(index * libvirtSpreadMs);
    },
    async stop() {
      await Promise.all(watches.map((watch) => watch.stop()));
    },
    stats: () => ({
      listening: watches.flatMap(({ listening }) => (listening ? [listening] : [])),
      received,
      dropped: { ...dropped },
    }),
  };
}

function hypervisorsOf({ targets }: Pick<Inventory, 'targets'>): readonly Hypervisor[] {
  return Object.entries(targets).flatMap(([name, { platform, address, libvirt: access }]) => {
    return platform === 'libvirt' && access ? [{ name, address, access }] : [];
  });
}
