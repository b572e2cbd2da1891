// Owns: what the lab can do to an access switch.
import type { Wall } from '../src/ports/wall.ts';
import { byName, type SwitchName, switchNames } from './model/addresses.ts';
import type { Fabric } from './model/switch/fabric.ts';
import { createPower } from './power.ts';
import type { Host } from './servers/host.ts';

/** A fault that stays until it is ended. */
export type StandingSwitchFault = 'hang' | 'unreachable';

export interface SwitchFaults {
  /** Power off: no frame passes, every session hears nothing more; new connections are refused. */
  fail(name: SwitchName): Promise<void>;
  /** Ends every fault; without power it boots from its startup configuration. Resolves when it is reachable. */
  restore(name: SwitchName): Promise<void>;
  /** Its management network is gone, sessions, syslog and traps with it; it forwards as before. */
  unreachable(name: SwitchName): void;
  /** Its SSH and NETCONF accept and say nothing. */
  hang(name: SwitchName): void;
  /** The cable of a port. */
  link(name: SwitchName, port: string, to: 'up' | 'down'): void;
  standing(name: SwitchName): readonly StandingSwitchFault[];
}

export interface SwitchFaultsOptions {
  readonly wall: Wall;
  readonly fabric: Fabric;
  readonly hosts: Readonly<Record<SwitchName, Host>>;
  readonly bootMs: number;
  readonly stopped: AbortSignal;
}

export function createSwitchFaults({ wall, fabric, hosts, bootMs, stopped }: SwitchFaultsOptions): SwitchFaults {
  const held = byName(switchNames, () => new Set<StandingSwitchFault>());
  const power = byName(switchNames, (name) =>
    createPower({ device: fabric.switches[name], host: hosts[name], wall, bootMs, stopped }),
  );
  return {
    standing: (name) => [...held[name]],
    fail: async (name) => power[name].off(),
    async restore(name) {
      const wasUnreachable = held[name].has('unreachable');
      hosts[name].unhang();
      hosts[name].unsilence();
      held[name].clear();
      if (!fabric.switches[name].powered) await power[name].boot();
      else if (wasUnreachable) await hosts[name].powerOn();
    },
    unreachable(name) {
      held[name].add('unreachable');
      hosts[name].silence();
      hosts[name].cutOff();
    },
    hang(name) {
      held[name].add('hang');
      hosts[name].hang();
    },
    link: (name, port, to) => fabric.switches[name].setLink(port, to),
  };
}
