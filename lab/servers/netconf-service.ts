// Owns: the NETCONF sessions of one device, their numbers, and which is on which channel.
import type { Wall } from '../../src/ports/wall.ts';
import type { Chassis } from '../model/chassis.ts';
import { Datastores } from '../model/netconf/datastores.ts';
import type { DeviceModels } from '../model/netconf/models.ts';
import { NetconfSession } from '../model/netconf/session.ts';
import type { Conversation, Outlet } from './ssh-server.ts';

/** As many as IOS-XE takes without `netconf-yang feature` asking for more: 32. */
const sessionsMax = 32;

export interface NetconfService {
  readonly netconf: (outlet: Outlet) => Conversation | undefined;
  /** Without power no commit waits for anything. */
  powerOff(): void;
}

export function createNetconfService(device: Chassis, models: DeviceModels, wall: Wall): NetconfService {
  const datastores = new Datastores(device, models, wall);
  const sessions = new Map<number, NetconfSession>();
  let last = 20;

  return {
    netconf({ operator, write, close }) {
      if (sessions.size >= sessionsMax) return undefined;
      last += 1;
      const id = last;
      const kill = (other: number) => {
        const victim = sessions.get(other);
        victim?.end();
        return victim !== undefined;
      };
      const hangUp = () => {
        sessions.delete(id);
        close();
      };
      const session = new NetconfSession(
        { device, models, datastores, identity: { id, operator }, kill },
        { write, close: hangUp },
      );
      sessions.set(id, session);
      return {
        start: () => session.start(),
        input: (bytes) => session.input(bytes),
        eof: () => session.end(),
        end: () => session.end(),
      };
    },
    powerOff: () => datastores.forget(),
  };
}
