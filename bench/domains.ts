// Owns: what runs on the simulated hypervisors, and which of them says what when: most events are a guest paused and resumed;
// on every pair of hypervisors one guest moves to and fro, a migration every five seconds.
import type { Domain } from '../adapters/libvirt-rpc/protocol.ts';
import { type LifecycleWord, lifecycleNumbers, stateNumbers } from '../adapters/libvirt-rpc/protocol.ts';
import { type Inventory, inventorySchema } from '../src/model/target.ts';

/** Guests of one hypervisor that stay. */
const domainsEach = 10;
/** A migration of a pair's guest begins every so many events of a hypervisor: at 50 a second every 5 s. */
export const cycleEvents = 250;
/** When in a cycle each host of the pair says its part. */
const slots = { started: 10, suspended: 100, resumed: 110, stopped: 120 } as const;
/** Pairs do not migrate in step. */
const shiftEvents = 7;
/** Hypervisors on one access switch. */
const perSwitch = 20;

export const hostName = (host: number): string => `kvm${host}`;
export const socketPath = (folder: string, host: number): string => `${folder}/${hostName(host)}`;

interface Said {
  readonly dom: Domain;
  readonly event: number;
  readonly detail: number;
}

/** A domain as a listing has it. */
export interface Listed {
  readonly dom: Domain;
  readonly state: number;
  readonly reason: number;
}

const uuid = (group: string, number: number): string => `c7a5fdbd-${group}-4000-8000-${number.toString(16).padStart(12, '0')}`;
const staying = (host: number, index: number): Domain => {
  return { name: `vm${host}-${index}`, uuid: uuid('0000', host * 1024 + index), id: index + 1 };
};
const moving = (pair: number): Domain => ({ name: `moving${pair}`, uuid: uuid('0001', pair), id: domainsEach + 1 });

/** Where the pair's guest is in its way, before its hosts' `n`th event. In the first cycle it rests. */
function way(host: number, n: number): { readonly slot: number; readonly role: 'from' | 'to' | 'rests here' | 'rests there' } {
  const at = n + shiftEvents * (host >> 1);
  const cycle = Math.floor(at / cycleEvents) - Math.floor((shiftEvents * (host >> 1)) / cycleEvents);
  const even = (host & 1) === 0;
  if (cycle === 0) return { slot: at % cycleEvents, role: even ? 'rests here' : 'rests there' };
  return { slot: at % cycleEvents, role: even === (cycle % 2 === 1) ? 'from' : 'to' };
}

const said = (dom: Domain, event: LifecycleWord, detail: string): Said => ({ dom, ...lifecycleNumbers(event, detail) });

/** The hypervisor's `n`th event. */
export function eventOf(host: number, n: number): Said {
  const { slot, role } = way(host, n);
  const guest = moving(host >> 1);
  if (role === 'to' && slot === slots.started) return said(guest, 'started', 'migrated');
  if (role === 'to' && slot === slots.resumed) return said(guest, 'resumed', 'migrated');
  if (role === 'from' && slot === slots.suspended) return said(guest, 'suspended', 'migrated');
  if (role === 'from' && slot === slots.stopped) return said(guest, 'stopped', 'migrated');
  const dom = staying(host, n % domainsEach);
  return Math.floor(n / domainsEach) % 2 === 0 ? said(dom, 'suspended', 'paused') : said(dom, 'resumed', 'unpaused');
}

/** What a listing finds there before the `n`th event. */
export function listedOn(host: number, n: number): readonly Listed[] {
  const running = stateNumbers('running', 'booted');
  const stay = Array.from({ length: domainsEach }, (_, index) => ({ dom: staying(host, index), ...running }));
  const { slot, role } = way(host, n);
  const guest = { dom: moving(host >> 1), ...running };
  if (role === 'rests here' || (role === 'from' && slot <= slots.stopped)) return [...stay, guest];
  if (role !== 'to' || slot <= slots.started) return stay;
  return [...stay, slot <= slots.resumed ? { ...guest, ...stateNumbers('paused', 'migration') } : guest];
}

/** As libvirt writes it, in little: what is read of it is there, and the length of what is passed over is too. */
export function xmlOf({ name, uuid: id }: Domain): string {
  const mac = `52:54:00:${id.slice(-6).replace(/(..)(..)(..)/, '$1:$2:$3')}`;
  return `<domain type='kvm' id='1'><name>${name}</name><uuid>${id}</uuid><memory unit='KiB'>1048576</memory><currentMemory unit='KiB'>1048576</currentMemory><vcpu placement='static'>1</vcpu><resource><partition>/machine</partition></resource><os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type><boot dev='hd'/></os><features><acpi/><apic/></features><cpu mode='host-model' check='partial'/><clock offset='utc'/><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash><devices><emulator>/usr/bin/qemu-system-x86_64</emulator><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/var/lib/libvirt/images/${name}.qcow2' index='1'/><target dev='vda' bus='virtio'/><alias name='virtio-disk0'/></disk><controller type='usb' index='0' model='qemu-xhci'><alias name='usb'/></controller><interface type='bridge'><mac address='${mac}'/><source bridge='br100'/><target dev='vnet0'/><model type='virtio'/><alias name='net0'/></interface><console type='pty' tty='/dev/pts/0'><target type='serial' port='0'/></console><memballoon model='virtio'><alias name='balloon0'/></memballoon></devices></domain>`;
}

/** The hypervisors, each at its socket in `folder`; the switch port of each; the way of each pair. */
export function hypervisorInventory(hosts: number, folder: string): Inventory {
  const each = Array.from({ length: hosts }, (_, host) => host);
  const switchOf = (host: number): string => `access${Math.floor(host / perSwitch)}`;
  const port = (host: number): string => `GigabitEthernet1/0/${host % perSwitch}`;
  const access = { transport: 'unix', uri: 'qemu:///system' };
  const hypervisors = each.map((host) => [
    hostName(host),
    {
      platform: 'libvirt',
      address: `10.0.${host >> 8}.${host & 255}`,
      libvirt: { ...access, socket: socketPath(folder, host) },
    },
  ]);
  const switches = [...new Set(each.map(switchOf))].map((name, index) => [
    name,
    { platform: 'cisco-ios', address: `192.0.2.${index}` },
  ]);
  return inventorySchema.parse({
    targets: Object.fromEntries([...hypervisors, ...switches]),
    attachments: each.map((host) => ({
      hypervisor: hostName(host),
      target: switchOf(host),
      interface: port(host),
      vlans: [100],
    })),
    paths: each.map((host) => ({
      from: hostName(host),
      to: hostName(host ^ 1),
      toward: `10.0.${host >> 8}.${(host ^ 1) & 255}`,
      egress: [{ target: switchOf(host), interface: 'TenGigabitEthernet1/1/1' }],
    })),
  });
}
