// Owns: the words authors listen with: hsrp.stateChanged({ to: 'active' }), fhrp.changed({ gateway: 'lan23' }), …
import { interfaceName } from '../model/interface-name.ts';
import type { MeaningKind, MeaningOf } from '../model/meaning.ts';
import type { MeaningEvent, Selector, SnmpEvent, SyslogEvent } from './selector.ts';

type Scalar = string | number | boolean;
/** Any of a meaning's fields, and the target it speaks of. */
export type Where<K extends MeaningKind> = {
  readonly [F in keyof MeaningOf<K> as F extends 'kind'
    ? never
    : MeaningOf<K>[F] extends Scalar | undefined
      ? F
      : never]?: NonNullable<MeaningOf<K>[F]>;
} & { readonly target?: string };

function ofKind<K extends MeaningKind>(name: K) {
  return (where: Where<K> = {}): Selector<MeaningEvent<K>> => {
    const fields = where as Readonly<Record<string, Scalar>>;
    const named = fields.interface === undefined ? {} : { interface: interfaceName(String(fields.interface)) };
    return { select: 'meaning', name, where: { ...fields, ...named } };
  };
}

/** A gateway's member changed its role, whatever the protocol. */
export const fhrp = { changed: ofKind('fhrp.changed') };
export const hsrp = { stateChanged: ofKind('hsrp.state-changed') };
export const vrrp = { stateChanged: ofKind('vrrp.state-changed') };
export const bgp = { neighborChanged: ofKind('bgp.neighbor-changed') };
export const portSecurity = { violation: ofKind('port-security.violation') };
export const config = { changed: ofKind('config.changed') };
/** What hypervisors say of VMs, and what that means for migrations. */
export const vm = {
  migrationRequested: ofKind('vm.migration-requested'),
  migrationStarted: ofKind('vm.migration-started'),
  /** It runs at its destination. */
  migrated: ofKind('vm.migrated'),
  migrationFailed: ofKind('vm.migration-failed'),
  /** However it ended. */
  migrationEnded: ofKind('vm.migration-ended'),
  lifecycle: ofKind('vm.lifecycle'),
};
export const source = { gap: ofKind('source.gap') };
export const interfaces = {
  stateChanged: ofKind('interface.state-changed'),
  errDisabled: ofKind('interface.err-disabled'),
  down: (where: Omit<Where<'interface.state-changed'>, 'to'> = {}) => ofKind('interface.state-changed')({ ...where, to: 'down' }),
  up: (where: Omit<Where<'interface.state-changed'>, 'to'> = {}) => ofKind('interface.state-changed')({ ...where, to: 'up' }),
};

/** Any syslog message: by mnemonic, whole (`HSRP-5-STATECHANGE`) or its last part (`STATECHANGE`), and by its text. */
export function syslog(
  where: {
    readonly mnemonic?: string;
    readonly matches?: RegExp;
    readonly target?: string;
    readonly host?: string;
    readonly app?: string;
  } = {},
): Selector<SyslogEvent> {
  const { mnemonic, matches, ...fields } = where;
  return {
    select: 'syslog',
    ...(mnemonic ? { name: mnemonic } : {}),
    ...(matches ? { matches: new RegExp(matches.source, matches.flags.replace(/[gy]/g, '')) } : {}),
    where: fields,
  };
}

/** Any SNMP notification: by OID (`1.3.6.1.6.3.1.1.5.3`) or name (`linkDown`). */
export function snmp(where: { readonly oid?: string; readonly target?: string } = {}): Selector<SnmpEvent> {
  const { oid, ...fields } = where;
  return { select: 'snmp', ...(oid ? { name: oid } : {}), where: fields };
}
