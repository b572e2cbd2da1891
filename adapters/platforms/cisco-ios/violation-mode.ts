// Owns: violation-mode on an IOS command line. The models have it too, at a path that differs by release: the line does not.
import type { Command } from '../../../src/ports/actuator.ts';
import type { ResourceDriver } from '../../../src/ports/platform.ts';
import {
  describeViolationMode,
  type ViolationMode,
  type ViolationModeState,
  verifyViolationMode,
} from '../../../src/resources/violation-mode.ts';
import { refusal, show } from '../dialogue.ts';
import { portCommand, portSecurity } from './port-security.ts';
import { interfaceWord } from './words.ts';

export const iosViolationMode: ResourceDriver<ViolationMode, ViolationModeState> = {
  *read({ interface: written }) {
    const name = interfaceWord(written);
    const { violation, enabled } = portSecurity(portCommand(name), yield* show(portCommand(name)));
    return { mode: violation, enabled };
  },
  plan: planViolationMode,
  verify: (state, resource, desired) => verifyViolationMode(state, resource, desired),
  describe: describeViolationMode,
  value: ({ mode }) => mode,
};

/** Wanted absent: the port goes back to what it has without a word. */
export function planViolationMode(
  { mode }: ViolationModeState,
  resource: ViolationMode,
  desired: 'present' | 'absent',
): readonly Command[] {
  if ((mode === resource.mode) === (desired === 'present')) return [];
  if (desired === 'absent' && mode === 'shutdown') {
    throw refusal(
      'ambiguous-mode',
      `${resource.target} ${resource.interface} without the violation mode shutdown could mean restrict or protect`,
      'Want the mode that it shall have.',
    );
  }
  const line =
    desired === 'present' ? `switchport port-security violation ${resource.mode}` : 'no switchport port-security violation';
  return [{ kind: 'configure', lines: [`interface ${interfaceWord(resource.interface)}`, line] }];
}
