// Owns: the network of a story: what each target is and says when asked, scripted line by line. It is an actuator and a
// platform, so that everything above it is the real runtime.
import { TargetError } from '../model/errors.ts';
import { hsrpStateSchema, roleOfHsrp, roleOfVrrp, vrrpStateSchema } from '../model/meaning.ts';
import type { FhrpRow } from '../model/query.ts';
import { type Gateway, type Inventory, platformNameSchema } from '../model/target.ts';
import type { Actuator, Command, Reply, Session } from '../ports/actuator.ts';
import type { Dialogue, Platform, ResourceDriver } from '../ports/platform.ts';
import type { Wall } from '../ports/wall.ts';
import { type BgpNetwork, type BgpNetworkState, describeBgpNetwork } from '../resources/bgp-network.ts';

/** A healthy device answers a command in this. */
const answerMs = 10;
/** An advertisement takes this to become effective. */
const advertiseMs = 100;
const neighbor = 'the upstream';

interface Device {
  reachable: boolean;
  /** Answers with something that is no answer. */
  garbled: boolean;
  answerMs: number;
  readonly rows: Map<string, FhrpRow>;
  /** Prefix → when it was configured. */
  readonly networks: Map<string, number>;
  /** Whether a configured network is advertised. */
  advertises: boolean;
  /** Every change made by us, in order. */
  readonly writes: string[];
  readonly hangUps: Set<() => void>;
}

export class World implements Actuator {
  readonly transport = 'cli';
  readonly #wall: Wall;
  readonly #devices = new Map<string, Device>();

  constructor(inventory: Inventory, wall: Wall) {
    this.#wall = wall;
    for (const name of Object.keys(inventory.targets)) {
      const rows = Object.values(inventory.gateways).flatMap((gateway) =>
        gateway.members.filter(({ target }) => target === name).map((member) => rowFor(gateway, member)),
      );
      this.#devices.set(name, {
        reachable: true,
        garbled: false,
        answerMs,
        rows: new Map(rows.map((row) => [rowKey(row.interface, row.group), row])),
        networks: new Map(),
        advertises: true,
        writes: [],
        hangUps: new Set(),
      });
    }
  }

  device(name: string): Device {
    const device = this.#devices.get(name);
    if (!device) throw new RangeError(`there is no ${name}; the inventory has ${[...this.#devices.keys()].join(', ')}`);
    return device;
  }

  /** Puts a row in a state, in the protocol's own word. */
  setState(name: string, state: string, where?: { readonly interface: string; readonly group: number }): void {
    const { rows } = this.device(name);
    const role = hsrpStateSchema.safeParse(state).success
      ? roleOfHsrp(hsrpStateSchema.parse(state))
      : roleOfVrrp(vrrpStateSchema.parse(state));
    const row = where ? rows.get(rowKey(where.interface, where.group)) : [...rows.values()][0];
    const known = row ?? { interface: where?.interface ?? 'Vlan10', group: where?.group ?? 10, family: 'ipv4' as const };
    rows.set(rowKey(known.interface, known.group), { ...known, role, state });
  }

  set(name: string, change: Partial<Pick<Device, 'garbled' | 'answerMs'>>): void {
    Object.assign(this.device(name), change);
  }

  setReachable(name: string): void {
    this.device(name).reachable = true;
  }

  setUnreachable(name: string): void {
    const device = this.device(name);
    device.reachable = false;
    for (const hangUp of device.hangUps) hangUp();
  }

  /** Who advertises a prefix now, as a neighbour sees it. */
  via(prefix: string): readonly string[] {
    return [...this.#devices].filter(([, device]) => this.#advertised(device, prefix)).map(([name]) => name);
  }

  prefixes(): readonly string[] {
    return [...new Set([...this.#devices.values()].flatMap(({ networks }) => [...networks.keys()]))];
  }

  #advertised(device: Device, prefix: string): boolean {
    const since = device.networks.get(prefix);
    return device.reachable && device.advertises && since !== undefined && this.#wall.monotonic() - since >= advertiseMs;
  }

  async open(name: string, _target: unknown, signal: AbortSignal): Promise<Session> {
    const device = this.device(name);
    await this.#wall.sleep(device.reachable ? device.answerMs : 1_000, signal);
    if (!device.reachable) throw this.#silent(name);
    const closed = Promise.withResolvers<void>();
    const hangUp = (): void => {
      device.hangUps.delete(hangUp);
      closed.resolve();
    };
    device.hangUps.add(hangUp);
    return {
      closed: closed.promise,
      close: async () => hangUp(),
      run: async (command, commandSignal) => {
        await this.#wall.sleep(device.answerMs, commandSignal);
        if (!device.hangUps.has(hangUp)) throw this.#silent(name);
        return this.#answer(device, command);
      },
    };
  }

  #silent(name: string): TargetError {
    return new TargetError(`${name} does not answer`, { code: 'unreachable', retry: true, remedy: 'It is down in this story.' });
  }

  #answer(device: Device, command: Command): Reply {
    if (command.kind === 'configure') {
      for (const line of command.lines) this.#configure(device, line);
      return { text: '' };
    }
    if (device.garbled) return { text: 'garbled' };
    const line = command.kind === 'cli' ? command.line : '';
    if (line === 'fhrp') return { text: JSON.stringify([...device.rows.values()]) };
    const configured = device.networks.has(line);
    const advertised = this.#advertised(device, line);
    return {
      text: JSON.stringify({
        as: 65_000,
        configured,
        inTable: configured,
        advertised: { [neighbor]: advertised },
      } satisfies BgpNetworkState),
    };
  }

  #configure(device: Device, line: string): void {
    device.writes.push(line);
    const prefix = line.replace(/^(no )?network /, '');
    if (line.startsWith('no ')) device.networks.delete(prefix);
    else if (!device.networks.has(prefix)) device.networks.set(prefix, this.#wall.monotonic());
  }
}

function* readRows(): Dialogue<readonly FhrpRow[]> {
  return parsed<FhrpRow[]>((yield { kind: 'cli', line: 'fhrp' }).text);
}

const bgpNetworkDriver: ResourceDriver<BgpNetwork, BgpNetworkState> = {
  *read({ prefix }) {
    return parsed<BgpNetworkState>((yield { kind: 'cli', line: prefix }).text);
  },
  plan: (state, { prefix }, desired) =>
    state.configured === (desired === 'present')
      ? []
      : [{ kind: 'configure', lines: [`${desired === 'present' ? '' : 'no '}network ${prefix}`] }],
  verify(state, _resource, desired) {
    const advertised = Object.values(state.advertised).every((yes) => yes === (desired === 'present'));
    return advertised ? { effective: true } : { effective: false, missing: describeBgpNetwork(state) };
  },
  describe: describeBgpNetwork,
};

/** The platform that every target of a story runs. */
function storyPlatform(name: Platform['name']): Platform {
  return { name, queries: { fhrp: readRows }, resources: { 'bgp-network': bgpNetworkDriver as unknown as ResourceDriver } };
}

export const storyPlatforms: Readonly<Record<string, Platform>> = Object.fromEntries(
  platformNameSchema.options.map((name) => [name, storyPlatform(name)]),
);

function parsed<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new TargetError(`the answer is cut short: "${text}"`, {
      code: 'unreadable',
      retry: false,
      remedy: 'Look at the device.',
    });
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
