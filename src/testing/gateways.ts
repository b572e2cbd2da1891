// Owns: the gateways of a story: their redundancy rows, and the prefixes that they advertise.
import type { z } from 'zod';
import { hsrpStateSchema, roleOfHsrp, roleOfVrrp, vrrpStateSchema } from '../model/meaning.ts';
import type { FhrpRow } from '../model/query.ts';
import type { Gateway, Inventory } from '../model/target.ts';
import type { Command } from '../ports/actuator.ts';
import type { BgpNetworkState } from '../resources/bgp-network.ts';
import type { NetworkWall } from './virtual-wall.ts';

/** An advertisement takes this to become effective. */
const advertiseMs = 100;
const neighbor = 'the upstream';

/** A state of VRRP; throws in words where it is none of HSRP either, which is looked at before. */
export function vrrpStateOf(state: string): z.infer<typeof vrrpStateSchema> {
  const { data } = vrrpStateSchema.safeParse(state);
  if (data) return data;
  const [hsrp, vrrp] = [hsrpStateSchema, vrrpStateSchema].map(({ options }) => options.join(', '));
  throw new RangeError(`"${state}" is no state: HSRP has ${hsrp}; VRRP has ${vrrp}`);
}

interface GatewayDevice {
  readonly rows: Map<string, FhrpRow>;
  /** Prefix → when it was configured. */
  readonly networks: Map<string, number>;
  /** Whether a configured network is advertised. */
  advertises: boolean;
  /** Every change made by us, in order. */
  readonly writes: string[];
}

export class Gateways {
  readonly #wall: NetworkWall;
  readonly #devices = new Map<string, GatewayDevice>();
  readonly #isUp: (name: string) => boolean;

  /** `isUp`: whoever is down advertises nothing. */
  constructor(inventory: Inventory, wall: NetworkWall, isUp: (name: string) => boolean) {
    this.#wall = wall;
    this.#isUp = isUp;
    for (const name of Object.keys(inventory.targets)) {
      const rows = Object.values(inventory.gateways).flatMap((gateway) =>
        gateway.members.filter(({ target }) => target === name).map((member) => rowFor(gateway, member)),
      );
      this.#devices.set(name, {
        rows: new Map(rows.map((row) => [rowKey(row.interface, row.group), row])),
        networks: new Map(),
        advertises: true,
        writes: [],
      });
    }
  }

  device(name: string): GatewayDevice {
    const device = this.#devices.get(name);
    if (!device) throw new RangeError(`there is no ${name}; the inventory has ${[...this.#devices.keys()].join(', ')}`);
    return device;
  }

  /** Puts a row in a state, in the protocol's own word. */
  setState(name: string, state: string, where?: { readonly interface: string; readonly group: number }): void {
    const { rows } = this.device(name);
    const role = hsrpStateSchema.safeParse(state).success
      ? roleOfHsrp(hsrpStateSchema.parse(state))
      : roleOfVrrp(vrrpStateOf(state));
    const row = where ? rows.get(rowKey(where.interface, where.group)) : [...rows.values()][0];
    const known = row ?? { interface: where?.interface ?? 'Vlan10', group: where?.group ?? 10, family: 'ipv4' as const };
    rows.set(rowKey(known.interface, known.group), { ...known, role, state });
  }

  /** Who advertises what now, as a neighbour sees it. */
  advertised(): string {
    const prefixes = new Set([...this.#devices.values()].flatMap(({ networks }) => [...networks.keys()]));
    return [...prefixes].map((prefix) => `${prefix} via ${this.via(prefix).join(' and ') || 'nobody'}`).join('; ');
  }

  /** JSON, or nothing for what changes. */
  answer(name: string, command: Command): string {
    const device = this.device(name);
    if (command.kind === 'configure') {
      for (const line of command.lines) this.#configure(device, line);
      return '';
    }
    const line = command.kind === 'cli' ? command.line : '';
    if (line === 'fhrp') return JSON.stringify([...device.rows.values()]);
    const configured = device.networks.has(line);
    const advertised = { [neighbor]: this.via(line).includes(name) };
    return JSON.stringify({ as: 65_000, configured, inTable: configured, advertised } satisfies BgpNetworkState);
  }

  /** Who advertises a prefix now, as a neighbour sees it. */
  via(prefix: string): readonly string[] {
    return [...this.#devices]
      .filter(([name, { networks, advertises }]) => {
        const since = networks.get(prefix);
        return this.#isUp(name) && advertises && since !== undefined && this.#wall.monotonic() - since >= advertiseMs;
      })
      .map(([name]) => name);
  }

  #configure({ networks, writes }: GatewayDevice, line: string): void {
    writes.push(line);
    const prefix = line.replace(/^(no )?network /, '');
    if (line.startsWith('no ')) networks.delete(prefix);
    else if (!networks.has(prefix)) networks.set(prefix, this.#wall.monotonic());
  }
}

function rowFor(gateway: Gateway, member: Gateway['members'][number]): FhrpRow {
  const { interface: name, group, instance, family } = member;
  const state = gateway.protocol === 'hsrp' ? 'init' : 'initialize';
  return {
    ...(name === undefined ? {} : { interface: name }),
    ...(group === undefined ? {} : { group }),
    ...(instance === undefined ? {} : { instance }),
    family,
    role: 'other',
    state,
  };
}

function rowKey(name: string | undefined, group: number | undefined): string {
  return `${name} ${group}`;
}
