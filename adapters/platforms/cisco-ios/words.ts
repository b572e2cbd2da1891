// Owns: the words that go into a Cisco command line and come out of its tables: MAC addresses in their forms, names that
// must be one word, lists of VLANs. A name that is no word would say something else than was meant, so it is refused.
import { interfaceName } from '../../../src/model/interface-name.ts';
import { refusal } from '../dialogue.ts';

/** `5254.00ab.cdef`, as Cisco writes it. Takes every form. */
export function dottedMac(mac: string): string {
  const colons = macOf(mac);
  if (colons === undefined) throw refusal('bad-mac', `"${mac.slice(0, 60)}" is no MAC address`, 'Write it as 52:54:00:ab:cd:ef.');
  return colons.replaceAll(':', '').replace(/^(.{4})(.{4})(.{4})$/, '$1.$2.$3');
}

/** `52:54:00:ab:cd:ef`, our form; undefined where it is no MAC address. Dots, colons and dashes are taken. */
export function macOf(written: string): string | undefined {
  const form = /^(?:[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}|[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5})$/i;
  if (!form.test(written)) return undefined;
  const digits = written.replace(/[.:-]/g, '').toLowerCase();
  return digits.match(/../g)!.join(':');
}

/** The long name, as a command line takes it. */
export function interfaceWord(written: string): string {
  const name = interfaceName(written);
  if (/^[A-Za-z][A-Za-z-]{0,40}\d[\d/.:]{0,30}$/.test(name)) return name;
  throw refusal('bad-name', `"${written.slice(0, 60)}" is no interface`, 'Correct the interface in the inventory or the policy.');
}

/** A policy-map's name: one word, and no question mark, which asks for help. */
export function policyWord(name: string): string {
  if (/^[\x21-\x3e\x40-\x7e]{1,255}$/.test(name)) return name;
  throw refusal('bad-name', `"${name.slice(0, 60)}" is no name of a policy-map`, 'Correct it in the policy.');
}

export function vlanWord(vlan: number): string {
  if (Number.isInteger(vlan) && vlan >= 1 && vlan <= 4094) return String(vlan);
  throw refusal('bad-vlan', `${vlan} is no VLAN`, 'Give one from 1 to 4094.');
}

/** `1,111,439-442`, `ALL`, `none` as numbers; undefined where it is no list of VLANs. */
export function vlanList(written: string): readonly number[] | undefined {
  const text = written.replace(/\s/g, '').toLowerCase();
  if (text === 'none') return [];
  const ranges = (text === 'all' ? '1-4094' : text).split(',').map((range) => /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range));
  const vlans: number[] = [];
  for (const range of ranges) {
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (!(first >= 1 && last <= 4094 && first <= last)) return undefined;
    for (let vlan = first; vlan <= last; vlan++) vlans.push(vlan);
  }
  return vlans.length <= 4094 ? vlans : undefined;
}
