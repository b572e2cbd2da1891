// Owns: what a domain's XML says of it: interfaces, memory, CPU, disks, and the mark of a migration asked for. Sans I/O.
import { libvirtNicsMax, libvirtWordMax } from '../../src/model/limits.ts';
import type { Nic } from '../../src/model/meaning.ts';
import { all, first, parseXml, type XmlElement } from './xml.ts';

/** Of the element that asks for a migration: `<migration xmlns='urn:offbox:migration' to='kvm2'/>` in the domain's metadata. */
export const migrationNamespace = 'urn:offbox:migration';

export interface DomainDisk {
  /** A file's path, or `pool/volume`. */
  readonly source: string;
  readonly pool?: string;
  /** What the guest sees it as: `vda`. libvirt takes it for the disk in its calls. */
  readonly device: string;
}

export interface DomainDescription {
  readonly nics: Nic[];
  readonly memoryBytes: number;
  /** `host-model`, `host-passthrough`, a model's name, or empty. */
  readonly cpu: string;
  /** File and volume disks that are written to. */
  readonly disks: readonly DomainDisk[];
  readonly request?: { readonly to: string };
}

/** Reads a `<domain>`. Throws TargetError `bad-xml`; what it does not know it passes over. */
export function readDomain(xml: string): DomainDescription {
  const domain = parseXml(xml);
  const request = requestIn(domain);
  return {
    nics: all(domain, 'devices', 'interface').flatMap(nicOf).slice(0, libvirtNicsMax),
    memoryBytes: bytesOf(first(domain, 'memory')),
    cpu: cpuOf(first(domain, 'cpu')),
    disks: all(domain, 'devices', 'disk').flatMap(diskOf),
    ...(request ? { request } : {}),
  };
}

/** Cut to what a name may have. */
export const word = (text: string): string => (text.length > libvirtWordMax ? text.slice(0, libvirtWordMax) : text);

function nicOf(element: XmlElement): Nic[] {
  const mac = first(element, 'mac')?.attributes.address?.toLowerCase();
  if (!mac || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) return [];
  const place = first(element, 'source')?.attributes;
  const source = place?.network ?? place?.bridge;
  const vlan = first(element, 'vlan');
  const tags = vlan && vlan.attributes.trunk !== 'yes' ? all(vlan, 'tag') : [];
  const tag = tags.length === 1 ? Number(tags[0]!.attributes.id) : Number.NaN;
  return [{ mac, ...(source ? { source: word(source) } : {}), ...(tag >= 1 && tag <= 4094 ? { vlan: tag } : {}) }];
}

/** libvirt's units: KB and the like are thousands, K and KiB are 1,024s; without one it is KiB. */
const units: Readonly<Record<string, number>> = { b: 1, bytes: 1 };

function bytesOf(element: XmlElement | undefined): number {
  const unit = (element?.attributes.unit ?? 'KiB').toLowerCase();
  const power = 'kmgt'.indexOf(unit[0] ?? '') + 1;
  const factor = units[unit] ?? (unit.endsWith('b') && !unit.endsWith('ib') ? 1_000 : 1_024) ** power;
  const count = Number(element?.text ?? 0);
  return Number.isFinite(count) && count > 0 ? count * factor : 0;
}

function cpuOf(element: XmlElement | undefined): string {
  const mode = element?.attributes.mode ?? 'custom';
  return word(mode === 'custom' ? (element && first(element, 'model')?.text) || '' : mode);
}

function diskOf(element: XmlElement): DomainDisk[] {
  const { type = 'file' } = element.attributes;
  const source = first(element, 'source')?.attributes;
  const device = first(element, 'target')?.attributes.dev;
  if (!source || !device || first(element, 'readonly')) return [];
  if (type === 'file' && source.file) return [{ source: source.file, device }];
  if (type !== 'volume' || !source.pool || !source.volume) return [];
  return [{ source: `${source.pool}/${source.volume}`, pool: word(source.pool), device }];
}

function requestIn(domain: XmlElement): { readonly to: string } | undefined {
  const mark = all(domain, 'metadata')
    .flatMap(({ children }) => children)
    .find(({ name, namespace }) => name === 'migration' && namespace === migrationNamespace);
  const to = mark?.attributes.to;
  return to ? { to: word(to) } : undefined;
}
