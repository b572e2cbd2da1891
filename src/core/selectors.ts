// Owns: the words authors listen with: hsrp.stateChanged({ to: 'active' }), fhrp.changed({ gateway: 'lan23' }), …
import { interfaceName } from '../model/interface-name.ts';
import type { MeaningKind, MeaningOf } from '../model/meaning.ts';
import { meaningFields } from '../model/meaning-fields.ts';
import type { MeaningEvent, Selector, SnmpEvent, SyslogEvent } from './selector.ts';
import { refuseSelector, type SelectorField } from './selector-words.ts';

type Scalar = string | number | boolean;
/** Any of a meaning's fields, and the target it speaks of. */
export type Where<K extends MeaningKind> = {
  readonly [F in keyof MeaningOf<K> as F extends 'kind'
    ? never
    : MeaningOf<K>[F] extends Scalar | undefined
      ? F
      : never]?: NonNullable<MeaningOf<K>[F]>;
} & { readonly target?: string };

/** Fields of events of this kind, `said` being what the selector says itself. */
function fieldsOf(kind: MeaningKind, said: string | undefined): readonly SelectorField[] {
  return [...meaningFields.get(kind)!.filter(({ name }) => name !== said), { name: 'target', form: 'text' }];
}

/** `word` is how authors call it. */
function ofKind<K extends MeaningKind>(name: K, word: string) {
  const known = fieldsOf(name, undefined);
  return (where: Where<K> = {}): Selector<MeaningEvent<K>> => {
    refuseSelector(word, where, known);
    const fields = where as Readonly<Record<string, Scalar>>;
    const named = fields.interface === undefined ? {} : { interface: interfaceName(String(fields.interface)) };
    return { select: 'meaning', name, where: { ...fields, ...named } };
  };
}

type LinkWhere = Omit<Where<'interface.state-changed'>, 'to'>;

function linkGoes(to: 'up' | 'down', word: string) {
  const known = fieldsOf('interface.state-changed', 'to');
  return (where: LinkWhere = {}): Selector<MeaningEvent<'interface.state-changed'>> => {
    refuseSelector(word, where, known);
    return interfaces.stateChanged({ ...where, to });
  };
}

/** A gateway's member changed its role, whatever the protocol. */
export const fhrp = { changed: ofKind('fhrp.changed', 'fhrp.changed()') };
/** A device says that an HSRP group of its own changed its state, of a declared gateway or not. */
export const hsrp = { stateChanged: ofKind('hsrp.state-changed', 'hsrp.stateChanged()') };
/** The same of a VRRP group: a device says that it changed its state. */
export const vrrp = { stateChanged: ofKind('vrrp.state-changed', 'vrrp.stateChanged()') };
/** A BGP session is established, or is lost. */
export const bgp = { neighborChanged: ofKind('bgp.neighbor-changed', 'bgp.neighborChanged()') };
/** A frame came from an address that port security does not let in. */
export const portSecurity = { violation: ofKind('port-security.violation', 'portSecurity.violation()') };
/** Somebody changed the running configuration. */
export const config = { changed: ofKind('config.changed', 'config.changed()') };
/** What hypervisors say of VMs, and what that means for migrations. */
export const vm = {
  /** Somebody asks for a migration. Offbox performs it where `perform` is true, otherwise whoever asks does. */
  migrationRequested: ofKind('vm.migration-requested', 'vm.migrationRequested()'),
  /** A migration is on. */
  migrationStarted: ofKind('vm.migration-started', 'vm.migrationStarted()'),
  /** A VM has moved, and runs at its destination (or is there paused). */
  migrated: ofKind('vm.migrated', 'vm.migrated()'),
  /** A migration failed: the VM stays where it was. */
  migrationFailed: ofKind('vm.migration-failed', 'vm.migrationFailed()'),
  /** A migration is over, however it ended. */
  migrationEnded: ofKind('vm.migration-ended', 'vm.migrationEnded()'),
  /** What one hypervisor says of one VM: it was started, suspended, stopped, … */
  lifecycle: ofKind('vm.lifecycle', 'vm.lifecycle()'),
};
/** Events may have been missed: a source lost some, or Offbox was down. */
export const source = { gap: ofKind('source.gap', 'source.gap()') };
export const interfaces = {
  /** A link, or the line protocol above it, went up or down. */
  stateChanged: ofKind('interface.state-changed', 'interfaces.stateChanged()'),
  /** A switch shut a port down because of an error. */
  errDisabled: ofKind('interface.err-disabled', 'interfaces.errDisabled()'),
  /** `interfaces.stateChanged({ to: 'down' })`. */
  down: linkGoes('down', 'interfaces.down()'),
  /** `interfaces.stateChanged({ to: 'up' })`. */
  up: linkGoes('up', 'interfaces.up()'),
};

const syslogFields: readonly SelectorField[] = [
  { name: 'mnemonic', form: 'mnemonic' },
  { name: 'matches', form: 'pattern' },
  { name: 'target', form: 'text' },
  { name: 'host', form: 'text' },
  { name: 'app', form: 'text' },
];
const snmpFields: readonly SelectorField[] = [
  { name: 'oid', form: 'oid' },
  { name: 'target', form: 'text' },
];

/**
 * Any syslog message: by mnemonic, whole (`HSRP-5-STATECHANGE`) or its last part (`STATECHANGE`), and by what it says. `matches` is
 * tried on the text, and where the message has a mnemonic on all of it too (`%IP-4-DUPADDR: Duplicate address …`): either will do, and
 * its named groups are the event's `groups`.
 */
export function syslog(
  where: {
    readonly mnemonic?: string;
    readonly matches?: RegExp;
    readonly target?: string;
    readonly host?: string;
    readonly app?: string;
  } = {},
): Selector<SyslogEvent> {
  refuseSelector('syslog()', where, syslogFields);
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
  refuseSelector('snmp()', where, snmpFields);
  const { oid, ...fields } = where;
  return { select: 'snmp', ...(oid ? { name: oid } : {}), where: fields };
}
