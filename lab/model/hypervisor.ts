// Owns: the lab's hypervisors together: which VMs there are, who migrates where, and what can befall them. No sockets.
import { OperatorError } from '../../src/model/errors.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { guestVlan } from './addresses.ts';
import type { Domain, VmPlan } from './virt/domain.ts';
import { type HostTraits, HypervisorHost, usualTraits } from './virt/host.ts';
import { Migration, type MigrationFailure, type MigrationPlan, type MigrationTimers } from './virt/migration.ts';
import { LibvirtRefusal } from './virt/refusal.ts';

export type { HostTraits, HypervisorHost } from './virt/host.ts';
export type { MigrationFailure } from './virt/migration.ts';

export interface HypervisorTimers extends MigrationTimers {
  /** From a libvirtd's end to when it listens again. */
  readonly restartMs: number;
}

/** As measured with a small guest, but for the copy: two seconds are enough to see it. The keepalive of a real one is 30 s. */
export const defaultHypervisorTimers: HypervisorTimers = {
  prepareMs: 300,
  copyMs: 2_000,
  downMs: 6,
  stopMs: 210,
  keepaliveMs: 6_000,
  restartMs: 1_000,
};

export interface HypervisorsOptions<N extends string> {
  readonly wall: Wall;
  readonly names: readonly N[];
  /** Where each one's libvirtd listens. */
  readonly addresses: Readonly<Record<N, string>>;
  /** The unix socket of each, where it has one: as a destination's URI may name it. */
  readonly sockets?: Partial<Readonly<Record<N, string>>>;
  /** Every frame of every guest, as it leaves its hypervisor's switch port. */
  readonly frame: (hypervisor: N, mac: string, vlan: number) => void;
  readonly timers?: Partial<HypervisorTimers>;
  /** In what each is unlike the others, where it is. */
  readonly traits?: Partial<Readonly<Record<N, Partial<HostTraits>>>>;
  /** Where each VM runs when the lab starts. */
  readonly vms?: readonly (VmPlan & { readonly on: N })[];
  /** After anything that a watcher may wait for changed. */
  readonly changed?: () => void;
}

export interface LabMigration {
  readonly fail?: MigrationFailure;
  /** From the start on. */
  readonly abortAfterMs?: number;
  /** Only its definition. */
  readonly offline?: boolean;
  /** The guest runs at the destination from half of the copy on. */
  readonly postCopy?: boolean;
  /** It does not run at the destination. */
  readonly suspend?: boolean;
  readonly bandwidthMiBs?: number;
}

/** What a client of libvirtd asks for with a destination's URI. */
export type AskedMigration = Omit<MigrationPlan, 'from' | 'to' | 'fail'> & { readonly uri: string };

export interface VmState {
  readonly vm: string;
  readonly uuid: string;
  readonly mac: string;
  /** `running (migrated)`. */
  readonly state: string;
  /** The migration that is on, and how much of it is over in percent. */
  readonly migration?: { readonly direction: 'out' | 'in'; readonly percent?: number };
}

export interface HypervisorState {
  readonly hypervisor: string;
  readonly address: string;
  readonly libvirtd: 'up' | 'down' | 'frozen';
  readonly vms: readonly VmState[];
}

export interface Hypervisors<N extends string> {
  readonly hosts: Readonly<Record<N, HypervisorHost>>;
  /** By name or UUID. Resolves when it is over. Rejects with an OperatorError, or with libvirtd's own refusal. */
  migrate(vm: string, to: N, options?: LabMigration): Promise<void>;
  /** Of libvirtd's clients. Rejects with LibvirtRefusal. */
  perform(from: HypervisorHost, asked: AskedMigration): Promise<void>;
  /** Throws LibvirtRefusal where nothing can be aborted. */
  abort(vm: string): void;
  startPostCopy(vm: string): void;
  /** Its connections end, a migration of it fails; guests live on. Resolves when it listens again. */
  restartLibvirtd(host: N): Promise<void>;
  /** Ends the connections to it, once. */
  cut(host: N): void;
  /** Its libvirtd hears and says nothing; the connections stay. Guests and migrations go on. */
  freeze(host: N): void;
  thaw(host: N): void;
  /** Where it runs; while nobody runs it, where it is defined. */
  whereIs(vm: string): N | undefined;
  state(): readonly HypervisorState[];
  stop(): void;
}

const vm = (name: string, digit: number): VmPlan => ({
  name,
  uuid: `c7a5fdbd-0000-4000-8000-00000000000${digit}`,
  mac: `52:54:00:aa:bb:0${digit}`,
  vlan: guestVlan,
  bridge: 'br0',
  memoryMiB: 1_024,
});

export const labVms = [
  { ...vm('web1', 1), on: 'kvm1' },
  { ...vm('db1', 2), on: 'kvm1' },
  { ...vm('app1', 3), on: 'kvm2' },
] as const;

export function createHypervisors<N extends string>(options: HypervisorsOptions<N>): Hypervisors<N> {
  const { wall, names } = options;
  const timers: HypervisorTimers = { ...defaultHypervisorTimers, ...options.timers };
  const migrations = new Set<Migration>();
  const hosts = Object.fromEntries(names.map((name, i) => [name, newHost(name, i, options, timers)])) as Record<
    N,
    HypervisorHost
  >;
  const vms = (options.vms ?? labVms) as readonly (VmPlan & { readonly on: N })[];
  for (const { on, ...plan } of vms) hosts[on]?.place(plan);

  const run = async (plan: MigrationPlan, abortAfterMs?: number) => {
    const migration = new Migration(plan, timers, wall);
    migrations.add(migration);
    const abort = abortAfterMs === undefined ? undefined : wall.after(abortAfterMs, () => migration.break('cancelled'));
    try {
      await migration.run();
    } finally {
      abort?.();
      migrations.delete(migration);
    }
  };
  const migrationOf = (uuid: string) => [...migrations].find(({ plan }) => plan.uuid === uuid);
  const uuidOf = (called: string) =>
    known(
      called,
      names.flatMap((name) => hosts[name].domains()),
    );
  const whereIs = (called: string) => placeOf(hosts, names, uuidOf(called));

  return {
    hosts,
    whereIs,
    async migrate(called, to, { abortAfterMs, ...wish } = {}) {
      const uuid = uuidOf(called);
      const from = whereIs(called);
      if (!from) throw new OperatorError(`[lab] ${called} is nowhere`, { code: 'usage', remedy: 'Start it first.' });
      await run(labPlan({ from: hosts[from], to: hosts[to], uuid }, wish), abortAfterMs);
    },
    async perform(from, { uri, ...asked }) {
      await run({ ...asked, from, to: reached(uri, options, hosts) });
    },
    abort(called) {
      const uuid = uuidOf(called);
      const migration = migrationOf(uuid);
      if (!migration) throw new LibvirtRefusal('invalid', 'no job is active on the domain');
      migration.cancel();
    },
    startPostCopy(called) {
      const migration = migrationOf(uuidOf(called));
      if (!migration)
        throw new LibvirtRefusal('invalid', 'post-copy can only be started while outgoing migration is in progress');
      migration.startPostCopy();
    },
    ...daemonFaults({ hosts, migrations, wall, restartMs: timers.restartMs }),
    state: () => names.map((name) => stateOf(hosts[name], options.addresses[name])),
    stop() {
      for (const name of names) hosts[name].end();
    },
  };
}

/** A VM's UUID by its name or UUID. Throws an OperatorError that lists what there is. */
function known(called: string, domains: readonly Domain[]): string {
  const found = domains.find(({ vm: { name, uuid } }) => name === called || uuid === called);
  if (found) return found.vm.uuid;
  throw new OperatorError(`[lab] "${called}" is no VM of the lab`, {
    code: 'usage',
    remedy: `Say one of: ${[...new Set(domains.map(({ vm: { name } }) => name))].join(', ')}.`,
  });
}

interface DaemonFaultsOptions<N extends string> {
  readonly hosts: Readonly<Record<N, HypervisorHost>>;
  readonly migrations: ReadonlySet<Migration>;
  readonly wall: Wall;
  readonly restartMs: number;
}

type DaemonFaults<N extends string> = Pick<Hypervisors<N>, 'restartLibvirtd' | 'cut' | 'freeze' | 'thaw'>;

function daemonFaults<N extends string>({ hosts, migrations, wall, restartMs }: DaemonFaultsOptions<N>): DaemonFaults<N> {
  return {
    async restartLibvirtd(host) {
      for (const migration of migrations) {
        if (migration.plan.from === hosts[host]) migration.break('source-libvirtd');
        if (migration.plan.to === hosts[host]) migration.break('destination-libvirtd');
      }
      await hosts[host].setDaemon('down');
      await wall.sleep(restartMs);
      await hosts[host].setDaemon('up');
    },
    cut: (host) => void hosts[host].setDaemon('cut'),
    freeze: (host) => void hosts[host].setDaemon('frozen'),
    thaw: (host) => void hosts[host].setDaemon('thawed'),
  };
}

function newHost<N extends string>(name: N, i: number, options: HypervisorsOptions<N>, timers: HypervisorTimers): HypervisorHost {
  const digit = i + 1;
  return new HypervisorHost({
    name,
    uuid: `${String(digit).repeat(8)}-aaaa-4bbb-8ccc-${String(digit).padStart(12, '0')}`,
    ...usualTraits,
    ...options.traits?.[name],
    wall: options.wall,
    stopMs: timers.stopMs,
    frame: (mac, vlan) => options.frame(name, mac, vlan),
    changed: () => options.changed?.(),
  });
}

function labPlan(of: Pick<MigrationPlan, 'from' | 'to' | 'uuid'>, wish: Omit<LabMigration, 'abortAfterMs'>): MigrationPlan {
  return {
    ...of,
    live: true,
    persistent: true,
    undefineSource: true,
    suspend: wish.suspend ?? false,
    offline: wish.offline ?? false,
    postCopy: wish.postCopy ? 'from-half' : 'never',
    bandwidthMiBs: wish.bandwidthMiBs,
    fail: wish.fail,
  };
}

/** `qemu+tcp://127.23.0.8:16509/system`, `qemu+tls://kvm2/system`, `qemu+unix:///system?socket=…`. Throws LibvirtRefusal as libvirt does. */
function reached<N extends string>(
  uri: string,
  options: HypervisorsOptions<N>,
  hosts: Record<N, HypervisorHost>,
): HypervisorHost {
  const { names, addresses, sockets } = options;
  const parts = /^qemu(?:\+(?:tcp|tls|ssh|unix))?:\/\/([^/?]*)(\/[^?]*)?(?:\?(.*))?$/.exec(uri);
  if (!parts) throw new LibvirtRefusal('invalidArgument', `unable to parse URI ${uri.slice(0, 200)}`, 'none');
  const where = parts[1]!.replace(/^[^@]*@/, '');
  const socket = new URLSearchParams(parts[3] ?? '').get('socket');
  const name = names.find((each) => {
    if (socket !== null) return sockets?.[each] === socket;
    const address = where.replace(/:\d+$/, '');
    return address === each || address === addresses[each];
  });
  if (name && hosts[name].daemon === 'up') return hosts[name];
  if (socket !== null)
    throw new LibvirtRefusal('system', `Failed to connect socket to '${socket}': No such file or directory`, 'rpc');
  const end = /:\d+$/.test(where) ? where : `${where}:16509`;
  throw new LibvirtRefusal('system', `unable to connect to server at '${end}': Connection refused`, 'rpc');
}

/** Running before paused before shut off; one that is only coming is not there yet. */
function placeOf<N extends string>(hosts: Record<N, HypervisorHost>, names: readonly N[], uuid: string): N | undefined {
  const rank = (name: N) => {
    const domain = hosts[name].find(uuid);
    if (!domain || (domain.job?.operation === 'migration-in' && domain.standing[1] === 'migration')) return 3;
    if (domain.standing[1] === 'postcopy' && domain.standing[0] === 'paused') return 2;
    return domain.standing[0] === 'running' ? 0 : domain.standing[0] === 'paused' ? 1 : 2;
  };
  const best = [...names].sort((a, b) => rank(a) - rank(b))[0];
  return best !== undefined && rank(best) < 3 ? best : undefined;
}

function stateOf(host: HypervisorHost, address: string): HypervisorState {
  return {
    hypervisor: host.name,
    address,
    libvirtd: host.daemon,
    vms: host.domains().map(({ vm: { name, uuid, mac }, standing: [state, reason], job }): VmState => {
      const base = { vm: name, uuid, mac, state: `${state} (${reason})` };
      if (!job) return base;
      if (job.operation === 'migration-in') return { ...base, migration: { direction: 'in' } };
      const { processedBytes, totalBytes } = job.figures();
      return { ...base, migration: { direction: 'out', percent: Math.floor((100 * processedBytes) / totalBytes) } };
    }),
  };
}
