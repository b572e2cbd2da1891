// Owns: the NETCONF sessions of one device, their numbers, and which is on which channel.
import type { Wall } from '../../src/ports/wall.ts';
import type { Device } from '../model/device.ts';
import { createDatastores } from '../model/netconf/datastores.ts';
import { createNetconfSession, type NetconfSession } from '../model/netconf/session.ts';
import type { Conversation, Outlet } from './ssh-server.ts';

/** As many as IOS-XE takes without `netconf-yang feature` asking for more: 32. */
const sessionsMax = 32;

export interface NetconfService {
  readonly netconf: (outlet: Outlet) => Conversation | undefined;
  /** Without power no commit waits for anything. */
  powerOff(): void;
}

export function createNetconfService(device: Device, wall: Wall): NetconfService {
  const datastores = createDatastores(device, wall);
  const sessions = new Map<number, NetconfSession>();
  let last = 20;

  return {
    netconf({ operator, write, close }) {
      if (sessions.size >= sessionsMax) return undefined;
      last += 1;
      const id = last;
      const session = createNetconfSession({
        id,
        device,
        datastores,
        operator,
        write,
        close: () => {
          sessions.delete(id);
          close();
        },
        kill: (other) => {
          const victim = sessions.get(other);
          victim?.end();
          return victim !== undefined;
        },
      });
      sessions.set(id, session);
      return { start: session.start, input: session.input, eof: session.end, end: session.end };
    },
    powerOff: () => datastores.forget(),
  };
}
