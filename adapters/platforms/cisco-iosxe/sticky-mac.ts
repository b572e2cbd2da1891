// Owns: sticky-mac on IOS-XE: read over the command line, cleared by the RPC of Cisco-IOS-XE-port-security-rpc where the
// target has NETCONF and a release with that module (17.8.1 and later), else as on IOS.
import type { Command } from '../../../src/ports/actuator.ts';
import type { ResourceDriver } from '../../../src/ports/platform.ts';
import { describeStickyMac, type StickyMac, verifyStickyMac } from '../../../src/resources/sticky-mac.ts';
import { type Clear, type CliStickyMacState, cliClear, planClear, planSticky, readStickyMac } from '../cisco-ios/sticky-mac.ts';
import { dottedMac, macOf, vlanWord } from '../cisco-ios/words.ts';
import { show } from '../dialogue.ts';
import { requireCli } from './access.ts';

interface IosxeStickyMacState extends CliStickyMacState {
  /** The RPC is there. */
  readonly byRpc: boolean;
}

export const iosxeStickyMac: ResourceDriver<StickyMac, IosxeStickyMacState> = {
  *read(resource, target) {
    requireCli(target, 'port security is read over the command line');
    const state = yield* readStickyMac(resource);
    return { ...state, byRpc: target.netconf !== undefined && clearsByRpc(yield* show('show version')) };
  },
  plan(state, resource, desired): readonly Command[] {
    if (desired === 'present') return planSticky(state, resource);
    return planClear(state, resource, state.byRpc ? rpcClear : cliClear);
  },
  verify: (state, _resource, desired) => verifyStickyMac(state, desired),
  describe: describeStickyMac,
};

/** `Cisco IOS XE Software, Version 17.09.04a`. Where the release cannot be told, the command line does it. */
export function clearsByRpc(version: string): boolean {
  const [, major, minor] = /^Cisco IOS XE Software, Version (\d{1,2})\.(\d{1,2})\b/m.exec(version) ?? [];
  return Number(major) > 17 || (Number(major) === 17 && Number(minor) >= 8);
}

const namespace = 'http://cisco.com/ns/yang/Cisco-IOS-XE-port-security-rpc';

/**
 * Without a target this RPC clears the whole switch. So there is one form of it here, with an address in it that was read
 * as one: what is no MAC address throws before anything is built. The colon form is the model's.
 */
export const rpcClear: Clear = ({ mac, vlan }) => {
  const address = macOf(dottedMac(mac))!;
  const scope = vlan === undefined ? '' : `<vlan><start-id>${vlanWord(vlan)}</start-id></vlan>`;
  return {
    kind: 'rpc',
    operation: `<clear-port-security xmlns="${namespace}"><mode>md-sticky</mode><mac-addr><mac-address>${address}</mac-address>${scope}</mac-addr></clear-port-security>`,
  };
};
