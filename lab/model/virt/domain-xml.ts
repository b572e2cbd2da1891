// Owns: the XML that libvirtd gives of a domain, of its host, and of what the host offers to domains; laid out as libvirt does.
import { escapeXml } from '../netconf/xml.ts';
import { type Domain, isActive, type MetadataElement } from './domain.ts';

/** Where the lab's guests have their disks: the pool `default`, shared by all hypervisors. */
export const poolPath = '/var/lib/libvirt/images';
export const diskPath = (vm: string): string => `${poolPath}/${vm}.qcow2`;

/** What the guests are given, and what a hypervisor has unless it is said to be of another generation. */
export const labCpu = 'Skylake-Server-IBRS';

/** `inactive`: the definition, without what only a running domain has. */
export function domainXml(domain: Domain, which: 'live' | 'inactive'): string {
  const { vm } = domain;
  const live = which === 'live' && isActive(domain);
  const onlyLive = (text: string) => (live ? [text] : []);
  const kib = vm.memoryMiB * 1024;
  const text = (element: string, value: string | undefined) =>
    value === undefined ? [] : [`  <${element}>${escapeXml(value)}</${element}>`];
  return `${[
    `<domain type='kvm'${live ? ` id='${domain.id}'` : ''}>`,
    `  <name>${escapeXml(vm.name)}</name>`,
    `  <uuid>${vm.uuid}</uuid>`,
    ...text('title', domain.title),
    ...text('description', domain.description),
    ...metadataXml(domain.metadata),
    `  <memory unit='KiB'>${kib}</memory>`,
    `  <currentMemory unit='KiB'>${kib}</currentMemory>`,
    `  <vcpu placement='static'>1</vcpu>`,
    '  <os>',
    `    <type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>`,
    `    <boot dev='hd'/>`,
    '  </os>',
    `  <cpu mode='custom' match='exact' check='${live ? 'full' : 'partial'}'>`,
    `    <model fallback='${live ? 'forbid' : 'allow'}'>${labCpu}</model>`,
    '  </cpu>',
    `  <clock offset='utc'/>`,
    '  <on_poweroff>destroy</on_poweroff>',
    '  <on_reboot>restart</on_reboot>',
    '  <on_crash>destroy</on_crash>',
    '  <devices>',
    '    <emulator>/usr/bin/qemu-system-x86_64</emulator>',
    `    <disk type='file' device='disk'>`,
    `      <driver name='qemu' type='qcow2'/>`,
    `      <source file='${diskPath(vm.name)}'${live ? " index='1'" : ''}/>`,
    ...onlyLive('      <backingStore/>'),
    `      <target dev='vda' bus='virtio'/>`,
    ...onlyLive(`      <alias name='virtio-disk0'/>`),
    `      <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/>`,
    '    </disk>',
    `    <interface type='bridge'>`,
    `      <mac address='${vm.mac}'/>`,
    `      <source bridge='${vm.bridge}'/>`,
    ...onlyLive(`      <target dev='vnet${domain.id - 1}'/>`),
    `      <model type='virtio'/>`,
    ...onlyLive(`      <alias name='net0'/>`),
    `      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>`,
    '    </interface>',
    `    <memballoon model='none'/>`,
    '  </devices>',
    '</domain>',
  ].join('\n')}\n`;
}

function metadataXml(metadata: ReadonlyMap<string, MetadataElement>): readonly string[] {
  if (metadata.size === 0) return [];
  const elements = [...metadata].map(([uri, element]) => `    ${withPrefix(element, uri)}`);
  return ['  <metadata>', ...elements, '  </metadata>'];
}

/** `<a b="c"/>` with key `x` → `<x:a xmlns:x="uri" b="c"/>`, as libvirt stores it. */
function withPrefix({ key, xml }: MetadataElement, uri: string): string {
  const prefixed = xml.replace(/<(\/?)(?=[A-Za-z_])([^\s/>:]+)(?=[\s/>])/g, (_, slash: string, name: string) => {
    return `<${slash}${key}:${name}`;
  });
  return prefixed.replace(/^<[^\s/>]+/, (start) => `${start} xmlns:${key}="${escapeXml(uri)}"`);
}

/** Two sockets of four cores. */
export function capabilitiesXml(host: { readonly uuid: string; readonly cpuModel: string }): string {
  return `<capabilities>

  <host>
    <uuid>${host.uuid}</uuid>
    <cpu>
      <arch>x86_64</arch>
      <model>${host.cpuModel}</model>
      <vendor>Intel</vendor>
      <microcode version='1'/>
      <signature family='6' model='85' stepping='4'/>
      <topology sockets='2' dies='1' cores='4' threads='1'/>
      <maxphysaddr mode='emulate' bits='46'/>
      <feature name='ss'/>
      <feature name='hypervisor'/>
      <feature name='pdpe1gb'/>
      <feature name='md-clear'/>
    </cpu>
    <migration_features>
      <live/>
      <uri_transports>
        <uri_transport>tcp</uri_transport>
        <uri_transport>rdma</uri_transport>
      </uri_transports>
    </migration_features>
    <secmodel>
      <model>none</model>
      <doi>0</doi>
    </secmodel>
  </host>

  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
      <machine maxCpus='255'>pc-i440fx-7.2</machine>
      <domain type='qemu'/>
      <domain type='kvm'/>
    </arch>
  </guest>

</capabilities>
`;
}

export interface Pool {
  readonly name: string;
  readonly uuid: string;
  readonly capacity: number;
  readonly allocation: number;
}

export function poolXml({ name, uuid, capacity, allocation }: Pool): string {
  return `<pool type='netfs'>
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <capacity unit='bytes'>${capacity}</capacity>
  <allocation unit='bytes'>${allocation}</allocation>
  <available unit='bytes'>${capacity - allocation}</available>
  <source>
    <host name='nas'/>
    <dir path='/export/images'/>
    <format type='nfs'/>
  </source>
  <target>
    <path>${poolPath}</path>
    <permissions>
      <mode>0755</mode>
      <owner>0</owner>
      <group>0</group>
    </permissions>
  </target>
</pool>
`;
}

export interface Net {
  readonly name: string;
  readonly uuid: string;
  readonly bridge: string;
}

/** A libvirt network that is only a name for a bridge of the host. */
export function networkXml({ name, uuid, bridge }: Net): string {
  return `<network>
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <forward mode='bridge'/>
  <bridge name='${bridge}'/>
</network>
`;
}

/** The host's bridge as its interface driver tells of it. */
export function bridgeXml(bridge: string): string {
  return `<interface type='bridge' name='${bridge}'>
  <bridge>
    <interface type='ethernet' name='eth1'/>
  </bridge>
</interface>
`;
}
