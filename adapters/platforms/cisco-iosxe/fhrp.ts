// Owns: who is HSRP or VRRP active on IOS-XE: HSRP from the operational model where the target has NETCONF, else, and
// for VRRP, as on IOS.
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { hsrpRow, iosFhrp } from '../cisco-ios/fhrp.ts';
import { refusal, unreadable } from '../dialogue.ts';
import { all, parseXml, textOf, type XmlElement } from './xml.ts';

const filter = '<hsrp-oper-data xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-hsrp-oper"/>';

export function* iosxeFhrp(target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'hsrp' && target.netconf) {
    const reply = yield { kind: 'get', filter };
    const groups = all(parseXml(reply.text), 'hsrp-oper-data', 'hsrp-group-info');
    // Nothing there may mean no group, or a release without the model: the command line knows.
    if (groups.length > 0 || !target.cli) return groups.map(groupRow);
  }
  if (!target.cli) {
    throw refusal(
      'no-cli',
      `VRRP on IOS-XE is read over the command line, and the target has no cli access`,
      'Give it a cli section.',
    );
  }
  return yield* iosFhrp(target, { protocol });
}

/** The state travels as an enum name, `hsrp-state-active` or like it [weak]; its last word is the state. */
function groupRow(group: XmlElement): FhrpRow {
  const name = textOf(group.children, 'if-name');
  const number = Number(textOf(group.children, 'group-id') || Number.NaN);
  const word = textOf(group.children, 'state')?.split('-').at(-1) ?? '';
  const family = textOf(group.children, 'virtual-ip')?.includes(':') ? 'ipv6' : 'ipv4';
  const row = name && Number.isInteger(number) ? hsrpRow({ interface: name, group: number, family }, word) : undefined;
  if (!row) throw unreadable('hsrp-oper-data', group.children.map(({ name: leaf, text }) => `${leaf} ${text}`).join(', '));
  return row;
}
