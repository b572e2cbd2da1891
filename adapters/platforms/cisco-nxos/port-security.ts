// Owns: what of port security can be done on NX-OS: the violation mode, which the running-config tells. Sticky addresses
// live in NVRAM there and not in the running-config, and neither the table of them nor the grammar that clears one is known
// from a source to build on [weak]: they are refused, in words, rather than tried.
import type { QueryReader, ResourceDriver } from '../../../src/ports/platform.ts';
import { describeStickyMac, type StickyMac, type StickyMacState, verifyStickyMac } from '../../../src/resources/sticky-mac.ts';
import {
  describeViolationMode,
  type ViolationMode,
  type ViolationModeState,
  verifyViolationMode,
} from '../../../src/resources/violation-mode.ts';
import { interfaceConfig } from '../cisco-ios/interface-config.ts';
import { planViolationMode } from '../cisco-ios/violation-mode.ts';
import { interfaceWord } from '../cisco-ios/words.ts';
import { refusal } from '../dialogue.ts';

function notYet(what: string) {
  return refusal(
    'no-reader',
    `${what} on NX-OS cannot be read yet: how it prints and clears secured addresses was not confirmed on a device`,
    'Clear the address by hand, or keep sticky learning off the ports that VMs move between.',
  );
}

export const nxosPortSecurity: QueryReader<'port-security'> = function* () {
  yield* [];
  throw notYet('port security');
};

export const nxosStickyMac: ResourceDriver<StickyMac, StickyMacState> = {
  *read({ mac }) {
    yield* [];
    throw notYet(`the sticky address ${mac}`);
  },
  plan: (_state, { mac }) => {
    throw notYet(`the sticky address ${mac}`);
  },
  verify: (state, _resource, desired) => verifyStickyMac(state, desired),
  describe: describeStickyMac,
};

/** No line: shutdown, the default. */
export const nxosViolationMode: ResourceDriver<ViolationMode, ViolationModeState> = {
  *read({ interface: name }) {
    const config = yield* interfaceConfig(interfaceWord(name).toLowerCase(), 'nothing');
    const said = config
      .map((line) => /^switchport port-security violation (shutdown|restrict|protect)$/.exec(line)?.[1])
      .find(Boolean);
    return { mode: (said ?? 'shutdown') as ViolationModeState['mode'], enabled: config.includes('switchport port-security') };
  },
  plan: planViolationMode,
  verify: (state, resource, desired) => verifyViolationMode(state, resource, desired),
  describe: describeViolationMode,
  value: ({ mode }) => mode,
};
