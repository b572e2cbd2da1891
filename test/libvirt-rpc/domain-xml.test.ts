// What a domain's XML says: addresses and where they are plugged in, memory, CPU, disks, the mark of a migration asked for.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDomain } from '../../adapters/libvirt-rpc/domain-xml.ts';
import { parseXml } from '../../adapters/libvirt-rpc/xml.ts';
import { TargetError } from '../../src/model/errors.ts';
import { libvirtNicsMax, libvirtXmlMax } from '../../src/model/limits.ts';

const domain = (inner: string) =>
  `<?xml version='1.0'?>\n<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>${inner}</domain>`;
const devices = (inner: string) => domain(`<devices>${inner}</devices>`);
const nicsOf = (inner: string) => readDomain(devices(inner)).nics;

/** As libvirt 9.0.0 shows a running guest, parts that say nothing here left out. */
const running = domain(`
  <name>web1</name>
  <uuid>c7a5fdbd-0000-4000-8000-000000000001</uuid>
  <metadata>
    <o:os xmlns:o="http://libosinfo.org/xmlns/libvirt/domain/1.0"><o:migration to="nowhere"/></o:os>
    <offbox:migration xmlns:offbox="urn:offbox:migration" to="kvm2"/>
  </metadata>
  <memory unit='KiB'>4194304</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <cpu mode='custom' match='exact' check='full'>
    <model fallback='forbid'>Skylake-Server-IBRS</model>
    <feature policy='require' name='pdpe1gb'/>
  </cpu>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/web1 &amp; co.qcow2' index='2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='volume' device='disk'><source pool='fast' volume='web1-data'/><target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><source file='/iso/debian.iso'/><target dev='sda' bus='sata'/><readonly/></disk>
    <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:AA:BB:01'/>
      <source bridge='br0'/>
      <vlan><tag id='10'/></vlan>
      <target dev='vnet3'/>
      <model type='virtio'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:aa:bb:02'/>
      <source network='default' portid='1ae0f1c7-0000-4000-8000-000000000001' bridge='virbr0'/>
    </interface>
  </devices>`);

test('a running guest is read whole', () => {
  expect(readDomain(running)).toEqual({
    nics: [
      { mac: '52:54:00:aa:bb:01', source: 'br0', vlan: 10 },
      { mac: '52:54:00:aa:bb:02', source: 'default' },
    ],
    memoryBytes: 4 * 2 ** 30,
    cpu: 'Skylake-Server-IBRS',
    disks: [
      { source: '/var/lib/libvirt/images/web1 & co.qcow2', device: 'vda' },
      { source: 'fast/web1-data', pool: 'fast', device: 'vdb' },
    ],
    request: { to: 'kvm2' },
  });
});

test.each([
  ["<migration xmlns='urn:offbox:migration' to='kvm2'/>", { to: 'kvm2' }],
  ["<m:migration xmlns:m='urn:offbox:migration' to='a&lt;b'/>", { to: 'a<b' }],
  ["<migration to='kvm2'/>", undefined],
  ["<migration xmlns='urn:other' to='kvm2'/>", undefined],
  ["<migration xmlns='urn:offbox:migration'/>", undefined],
  ["<box xmlns='urn:offbox:migration'><migration to='kvm2'/></box>", undefined],
])('the mark %s is read by its namespace', (mark, request) => {
  expect(readDomain(domain(`<metadata>${mark}</metadata>`)).request).toEqual(request);
});

test.each([
  ["<memory unit='MiB'>32</memory>", 32 * 2 ** 20],
  ['<memory>1024</memory>', 2 ** 20],
  ["<memory unit='bytes'>77</memory>", 77],
  ["<memory unit='G'>2</memory>", 2 ** 31],
  ["<memory unit='GB'>2</memory>", 2e9],
  ["<memory unit='KiB'>lots</memory>", 0],
  ['', 0],
])('%s is so many bytes', (xml, bytes) => {
  expect(readDomain(domain(xml)).memoryBytes).toBe(bytes);
});

test.each([
  ["<cpu mode='host-passthrough' check='none'/>", 'host-passthrough'],
  ["<cpu mode='host-model'/>", 'host-model'],
  ['<cpu><model>qemu64</model></cpu>', 'qemu64'],
  ["<cpu><topology sockets='1' cores='2' threads='1'/></cpu>", ''],
])('%s is the CPU', (xml, cpu) => {
  expect(readDomain(domain(xml)).cpu).toBe(cpu);
});

test('an interface without an address, a trunk of VLANs and a VLAN that is none are passed over', () => {
  expect(nicsOf("<interface type='user'/>")).toEqual([]);
  expect(nicsOf("<interface><mac address='nonsense'/></interface>")).toEqual([]);
  const vlan = (inner: string) => `<interface><mac address='52:54:00:00:00:01'/>${inner}</interface>`;
  const bare = [{ mac: '52:54:00:00:00:01' }];
  expect(nicsOf(vlan("<vlan trunk='yes'><tag id='10'/></vlan>"))).toEqual(bare);
  expect(nicsOf(vlan("<vlan><tag id='10'/><tag id='20'/></vlan>"))).toEqual(bare);
  expect(nicsOf(vlan("<vlan><tag id='4095'/></vlan>"))).toEqual(bare);
  expect(nicsOf("<interface><mac address='52:54:00:00:00:01'/></interface>".repeat(100))).toHaveLength(libvirtNicsMax);
});

test.each([
  ['a document type', '<!DOCTYPE d [<!ENTITY a "b">]><domain>&a;</domain>'],
  ['more than may be', `<domain>${' '.repeat(libvirtXmlMax)}</domain>`],
  ['a document cut short', running.slice(0, 900)],
  ['nothing', ''],
  ['nesting without end', '<a>'.repeat(5_000) + '</a>'.repeat(5_000)],
])('%s is refused', (_what, xml) => {
  expect(() => readDomain(xml)).toThrow(TargetError);
});

test('an entity that nobody defined stays as it is written', () => {
  expect(parseXml('<name>a&xxe;b &#65;&amp;lt;</name>').text).toBe('a&xxe;b A&lt;');
});

test('no text crashes the reading, and none is read for long', () => {
  const pieces = running.match(/<[^>]*>|[^<]+/g)!;
  const soup = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 30 }).map((parts) => parts.join(''));
  const cut = fc
    .tuple(fc.nat(running.length), fc.string({ maxLength: 5 }))
    .map(([at, text]) => running.slice(0, at) + text + running.slice(at));
  fc.assert(
    fc.property(fc.oneof(soup, cut), (xml) => {
      try {
        readDomain(xml);
      } catch (error) {
        expect(error).toBeInstanceOf(TargetError);
      }
    }),
    { numRuns: 2_000 },
  );
});
