// Owns: two real hypervisors on one machine: session libvirtds of an unprivileged user, told apart by their XDG folders,
// with guests of 512 bytes that run under QEMU's own emulation. No namespaces, no tap, no KVM.
import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RuntimeFault } from '../../src/model/errors.ts';
import { eventually, output, stop } from './process.ts';

export const hypervisorNames = ['kvm1', 'kvm2'] as const;
export type HypervisorName = (typeof hypervisorNames)[number];

/**
 * `idle` dirties no memory; `busy` 4,000 pages 18 times a second over 24 MiB: its migration lasts as long as it is throttled to;
 * `steady` 64 pages 18 times a second, 4.6 MB/s: throttled to 10 MiB/s its migration takes some five seconds, and ends.
 */
export type GuestKind = 'idle' | 'busy' | 'steady';

/** What their boot sectors are told: up to which MiB they fill memory, and how many pages they write at each tick. */
const loads: Readonly<Record<GuestKind, readonly [topMiB: number, pagesPerTick: number]>> = {
  idle: [2, 0],
  busy: [26, 4_000],
  steady: [26, 64],
};

export interface Guest {
  readonly name: string;
  readonly uuid: string;
  readonly mac: string;
  readonly kind: GuestKind;
  /** A raw file that it may write to. */
  readonly disk?: string;
}

export interface Hypervisors {
  readonly path: string;
  socket(name: HypervisorName): string;
  /** What the other one's libvirtd reaches it by, for a migration. */
  uri(name: HypervisorName): string;
  /** Runs virsh there; what it printed. */
  virsh(name: HypervisorName, ...args: readonly string[]): Promise<string>;
  /** The guest's definition, in a file. */
  xml(guest: Guest): Promise<string>;
  /** Its libvirtd: SIGTERM, SIGKILL, SIGSTOP, SIGCONT. Guests live on. */
  signal(name: HypervisorName, signal: NodeJS.Signals): void;
  /** Starts its libvirtd again, after it has ended. */
  restart(name: HypervisorName): Promise<void>;
  /** SIGKILL to a guest's QEMU. */
  killGuest(name: HypervisorName, guest: string): Promise<void>;
  down(): Promise<void>;
}

/** Where they listen for TLS as well, on 127.0.0.1; PEM files that the user nobody can read. */
export interface HypervisorTls {
  readonly port: Readonly<Record<HypervisorName, number>>;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** nobody: libvirtd wants a user that /etc/passwd has. */
const user = 65_534;
const folderPrefix = 'offbox-hypervisors-';

/**
 * A boot sector, packed: fills memory from 2 MiB up to where its parameters say, then halts, and at each tick of the clock
 * writes to so many pages.
 */
const bootSector =
  'H4sICPqyA2sCA2Jvb3QuYmluAPtleKDvRt+Bvgt7GGqeTOJhejaJn1FsQQ2/wgEeRn6lA7s5GPoeq/wDsn6nddu9qU2ztvtQW8yXkp7WaZ/WeJxBgIHh9WuIjOHbL2muaZ16DHVp34/yMzAwlLLt+sG8Qe9dWjffl9r0xw/BeotYwaqBBvx3Z4GakOZZ+vj1od4tQNYEBij4/x9ITDrPwM8woYZhFFAJKEAxDISuAgDwb5tAAAIAAA==';
const floppyBytes = 1_474_560;
const parametersAt = 0x1ec;

function image(kind: GuestKind): Buffer {
  const bytes = Buffer.alloc(floppyBytes);
  gunzipSync(Buffer.from(bootSector, 'base64')).copy(bytes);
  const [topMiB, pagesPerTick] = loads[kind];
  bytes.writeUInt32LE(0x200000, parametersAt);
  bytes.writeUInt32LE(topMiB * 2 ** 20, parametersAt + 4);
  bytes.writeUInt32LE(pagesPerTick, parametersAt + 8);
  return bytes;
}

/** The floppy is read-only, so that no disk has to be shared or copied. */
const domainXml = ({ name, uuid, mac, disk }: Guest, floppy: string) => `<domain type='qemu'>
  <name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='fd'/></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='floppy'>
      <driver name='qemu' type='raw'/><source file='${floppy}'/><target dev='fda' bus='fdc'/><readonly/>
    </disk>${disk === undefined ? '' : diskXml(disk)}
    <controller type='usb' model='none'/>
    <interface type='user'><mac address='${mac}'/><model type='virtio'/></interface>
    <serial type='null'/><memballoon model='none'/>
  </devices>
</domain>
`;

const diskXml = (file: string) => `
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/><source file='${file}'/><target dev='vda' bus='virtio'/>
    </disk>`;

interface Place {
  readonly folder: string;
  readonly socket: string;
  /** What makes it listen on the network. */
  readonly listen: readonly string[];
  daemon: ChildProcess | undefined;
}

const xdg = (folder: string) => [
  `HOME=${folder}`,
  `XDG_CONFIG_HOME=${folder}/c`,
  `XDG_CACHE_HOME=${folder}/k`,
  `XDG_DATA_HOME=${folder}/d`,
  `XDG_RUNTIME_DIR=${folder}/r`,
];

async function prepare(lab: string, name: HypervisorName, tls: HypervisorTls | undefined): Promise<Place> {
  const folder = join(lab, name);
  const number = hypervisorNames.indexOf(name) + 1;
  const config = join(folder, 'c', 'libvirt');
  for (const part of ['c/libvirt', 'k/libvirt', 'd/libvirt', 'r/libvirt']) await mkdir(join(folder, part), { recursive: true });
  // Were it the same, libvirt would take a migration for one to the same host.
  const uuid = `3333333${number}-aaaa-4bbb-8ccc-00000000000${number}`;
  const files = tls ? `ca_file = "${tls.ca}"\ncert_file = "${tls.certificate}"\nkey_file = "${tls.key}"\n` : '';
  const listens = tls ? `listen_tls = 1\nlisten_addr = "127.0.0.1"\ntls_port = "${tls.port[name]}"\n` : 'listen_tls = 0\n';
  const log = `log_outputs = "3:file:${folder}/log"\n`;
  await writeFile(join(config, 'libvirtd.conf'), `host_uuid = "${uuid}"\n${listens}${files}${log}`);
  const ports = `migration_port_min = ${49_200 + 100 * number}\nmigration_port_max = ${49_299 + 100 * number}\n`;
  await writeFile(join(config, 'qemu.conf'), `stdio_handler = "file"\nmigration_host = "127.0.0.${number + 1}"\n${ports}`);
  await give(folder);
  return { folder, socket: join(folder, 'r/libvirt/libvirt-sock'), listen: tls ? ['-l'] : [], daemon: undefined };
}

async function give(folder: string): Promise<void> {
  await chown(folder, user, user);
  for (const entry of await readdir(folder, { recursive: true })) await chown(join(folder, entry), user, user);
}

async function boot(place: Place): Promise<void> {
  const { folder, socket, listen } = place;
  const daemon = ['libvirtd', ...listen, '-t', '0', '-f', `${folder}/c/libvirt/libvirtd.conf`, '-p', `${folder}/pid`];
  // The kernel forgets whose death kills it when the user changes: so it is said last.
  const own = ['--reuid', `${user}`, '--regid', `${user}`, '--clear-groups'];
  // Of post-copy a QEMU must hear of the kernel which page is missing: to others that is allowed with this.
  const faults = ['--inh-caps', '+sys_ptrace', '--ambient-caps', '+sys_ptrace'];
  place.daemon = spawn('setpriv', [...own, ...faults, '--pdeathsig', 'KILL', '--', 'env', ...xdg(folder), ...daemon], {
    stdio: 'ignore',
  });
  await eventually(
    `libvirtd in ${folder}`,
    async () => output(['virsh', '-q', '-c', `qemu+unix:///session?socket=${socket}`, 'uri']),
    { withinMs: 20_000, everyMs: 20 },
  );
}

/** Of QEMUs that a libvirtd started and that outlive it. */
async function guestsOf(folder: string): Promise<ReadonlyMap<string, number>> {
  const run = join(folder, 'r/libvirt/qemu/run');
  const files = (await readdir(run).catch(() => [])).filter((file) => file.endsWith('.pid'));
  const found = new Map<string, number>();
  for (const file of files) {
    const pid = Number(await readFile(join(run, file), 'utf8').catch(() => ''));
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    // The number may have been given to another process since.
    if (line.includes(folder)) found.set(file.slice(0, -'.pid'.length), pid);
  }
  return found;
}

async function killGuests(folder: string): Promise<void> {
  for (const pid of (await guestsOf(folder)).values()) process.kill(pid, 'SIGKILL');
}

/** Folders carry their owner's pid; where that is gone the lab was killed, its libvirtds with it, and its guests live on. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1];
    if (!owner || (await readFile(`/proc/${owner}/comm`).catch(() => undefined))) continue;
    for (const each of hypervisorNames) await killGuests(join(tmpdir(), name, each));
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

export async function startHypervisors(tls?: HypervisorTls): Promise<Hypervisors> {
  await sweep();
  const path = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  await chown(path, user, user);
  for (const kind of Object.keys(loads) as GuestKind[]) await writeFile(join(path, `${kind}.img`), image(kind), { mode: 0o644 });
  const places = new Map<HypervisorName, Place>();
  for (const name of hypervisorNames) places.set(name, await prepare(path, name, tls));
  const placeOf = (name: HypervisorName): Place => places.get(name)!;
  await Promise.all([...places.values()].map(boot));
  const uri = (name: HypervisorName) => `qemu+unix:///session?socket=${placeOf(name).socket}`;
  return {
    path,
    socket: (name) => placeOf(name).socket,
    uri,
    virsh: (name, ...args) => output(['virsh', '-q', '-c', uri(name), ...args], { timeoutMs: 60_000 }),
    async xml(guest) {
      const file = join(path, `${guest.name}.xml`);
      await writeFile(file, domainXml(guest, join(path, `${guest.kind}.img`)));
      return file;
    },
    signal: (name, signal) => void placeOf(name).daemon?.kill(signal),
    async restart(name) {
      const place = placeOf(name);
      if (place.daemon) await stop(place.daemon);
      await boot(place);
    },
    async killGuest(name, guest) {
      const pid = [...(await guestsOf(placeOf(name).folder))].find(([each]) => each.endsWith(guest))?.[1];
      if (!pid) throw noGuest(name, guest);
      process.kill(pid, 'SIGKILL');
    },
    async down() {
      for (const { folder, daemon } of places.values()) {
        daemon?.kill('SIGCONT');
        if (daemon) await stop(daemon);
        await killGuests(folder);
      }
      await rm(path, { recursive: true, force: true });
    },
  };
}

function noGuest(name: HypervisorName, guest: string): RuntimeFault {
  return new RuntimeFault(`[lab] no guest ${guest} runs on ${name}`, {
    code: 'lab-guest',
    remedy: 'Start it before you kill it.',
  });
}
