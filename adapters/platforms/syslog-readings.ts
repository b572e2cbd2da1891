// Owns: what a platform's syslog.ts is made of: a reading says which message, which text, and which meaning its named
// groups make. The words of states and names are made neutral here, once for all platforms.
import { interfaceName } from '../../src/model/interface-name.ts';
import type { HsrpState, Meaning, MeaningOf, VrrpState } from '../../src/model/meaning.ts';

/** The named groups of a reading's pattern. */
export type Groups = Readonly<Record<string, string | undefined>>;

/**
 * One line of knowledge. A pattern is anchored at the start and open at the end (stack members append ` (Switch-2)`,
 * NX-OS `(message repeated N times)`), and repeats nothing inside a repetition: texts come from strangers.
 */
export interface SyslogReading {
  /** The mnemonic without `%`, or the program where the platform writes none (`vrrpd`). */
  readonly on: string;
  readonly pattern: RegExp;
  /** Null where the text turns out to say nothing of the kind. */
  readonly meaning: (groups: Groups) => Meaning | null;
}

const hsrpStates: ReadonlyMap<string, HsrpState> = new Map([
  ['disabled', 'disabled'],
  ['init', 'init'],
  ['initial', 'init'],
  ['learn', 'learn'],
  ['listen', 'listen'],
  ['speak', 'speak'],
  ['standby', 'standby'],
  ['active', 'active'],
]);

/** EOS stops what others initialize; RFC 9568 says active for master. */
const vrrpStates: ReadonlyMap<string, VrrpState> = new Map([
  ['init', 'initialize'],
  ['initialize', 'initialize'],
  ['stopped', 'initialize'],
  ['backup', 'backup'],
  ['master', 'master'],
  ['active', 'master'],
  ['fault', 'fault'],
]);

/** Digits as a number; the patterns bound how many. */
const numberOf = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits));
const wordOf = <T>(words: ReadonlyMap<string, T>, word: string | undefined) => words.get((word ?? '').toLowerCase());
/** The text of a reason, or nothing of it. */
const reasonOf = (text: string | undefined) => text?.replace(/^[\s:-]+/, '').trimEnd() || undefined;

/** Groups `interface`, `group`, `from`, `to`. */
export function hsrpChange(groups: Groups): Meaning | null {
  const to = wordOf(hsrpStates, groups.to);
  const group = numberOf(groups.group);
  if (!to || group === undefined) return null;
  const from = wordOf(hsrpStates, groups.from);
  const meaning = { kind: 'hsrp.state-changed', interface: interfaceName(groups.interface ?? ''), group } as const;
  return from ? { ...meaning, from, to } : { ...meaning, to };
}

/** Groups `interface`, `group`, `instance`, `family`, `from`, `to`. */
export function vrrpChange(groups: Groups): Meaning | null {
  const to = wordOf(vrrpStates, groups.to);
  if (!to) return null;
  const from = wordOf(vrrpStates, groups.from);
  const group = numberOf(groups.group);
  return {
    kind: 'vrrp.state-changed',
    ...(groups.interface && { interface: interfaceName(groups.interface) }),
    ...(group !== undefined && { group }),
    ...(groups.instance && { instance: groups.instance }),
    ...(groups.family && { family: groups.family === '6' ? 'ipv6' : 'ipv4' }),
    ...(from && { from }),
    to,
  };
}

/** Groups `interface`, `to`, and `reason` and `admin` where the platform says them. */
export function linkChange(groups: Groups): Meaning {
  return interfaceChange('link', groups);
}

export function protocolChange(groups: Groups): Meaning {
  return interfaceChange('protocol', groups);
}

function interfaceChange(layer: MeaningOf<'interface.state-changed'>['layer'], groups: Groups): Meaning {
  const reason = reasonOf(groups.reason);
  return {
    kind: 'interface.state-changed',
    interface: interfaceName(groups.interface ?? ''),
    layer,
    to: groups.to?.toLowerCase() === 'up' ? 'up' : 'down',
    ...(groups.admin && { admin: true }),
    ...(reason && { reason }),
  };
}

/** Groups `neighbor`, `to`, `vrf`, `as`, `reason`. The default VRF is not said, as IOS and the traps do not say it. */
export function bgpChange(groups: Groups): Meaning {
  const as = numberOf(groups.as);
  const reason = reasonOf(groups.reason);
  return {
    kind: 'bgp.neighbor-changed',
    neighbor: groups.neighbor ?? '',
    to: groups.to?.toLowerCase() === 'up' ? 'up' : 'down',
    ...(groups.vrf && !/^(default|master)$/i.test(groups.vrf) && { vrf: groups.vrf }),
    ...(as !== undefined && { as }),
    ...(reason && { reason }),
  };
}

/** The same from two states of the session's machine, `from` and `to`: only what enters or leaves Established is a change. */
export function bgpTransition(groups: Groups): Meaning | null {
  const was = groups.from?.toLowerCase() === 'established';
  const is = groups.to?.toLowerCase() === 'established';
  return was === is ? null : bgpChange({ ...groups, to: is ? 'up' : 'down' });
}

/**
 * `Configured from console by admin on vty0 (10.31.0.24)`, `… by admin on console`; EEM's own `… by  on vty0 (EEM:its-applet)` has no user,
 * and the name of an applet is no address.
 */
export const configuredFrom =
  /^Configured from (?<from>\S{1,255}) by (?<by>\S{1,64})?(?: on (?<line>[A-Za-z]\S{0,63}))?(?: \((?<address>[0-9A-Fa-f.:]{2,45})\))?/;

/** A device that knows no users says the line in the user's place: `by vty2 (10.34.195.36)`. */
const vty = /^vty\d{1,4}$/;

/** Groups `by`, `from`, `line`, `address`. */
export function configChange({ by, from, line = vty.test(by ?? '') ? by : undefined, address }: Groups): Meaning {
  return {
    kind: 'config.changed',
    ...(by && { by }),
    ...(from && { from }),
    ...(line && { line }),
    ...(address && { address }),
  };
}

/** Groups `interface`, `cause`. */
export function errDisabled(groups: Groups): Meaning {
  return { kind: 'interface.err-disabled', interface: interfaceName(groups.interface ?? ''), cause: groups.cause ?? '' };
}

/** Groups `interface`, `mac` in Cisco's form `0060.9fa4.d39a`. */
export function portSecurityViolation(groups: Groups): Meaning {
  const digits = (groups.mac ?? '').replaceAll('.', '').toLowerCase();
  const mac = digits.match(/../g)?.join(':') ?? '';
  return { kind: 'port-security.violation', interface: interfaceName(groups.interface ?? ''), mac };
}
