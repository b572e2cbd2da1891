// Owns: all that a policy author imports: `import { policy, fhrp, exclusive, bgpNetwork } from 'offbox'`.

// The RxJS operators that need no clock.
export {
  concat,
  EMPTY,
  filter,
  forkJoin,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  startWith,
  tap,
  withLatestFrom,
} from 'rxjs';
export { type Desire, exclusive } from './core/desire.ts';
export type { EgressPort, GatewayMember, InventoryView, Port } from './core/facts.ts';
export { absent } from './core/operators/absent.ts';
export { allOf } from './core/operators/all-of.ts';
export { type Dampened, dampening } from './core/operators/dampening.ts';
export { pair } from './core/operators/pair.ts';
export { perKey } from './core/operators/per-key.ts';
export { sequence } from './core/operators/sequence.ts';
export { settle } from './core/operators/settle.ts';
export { suppress, type Unsuppressed } from './core/operators/suppress.ts';
export { threshold } from './core/operators/threshold.ts';
export { within } from './core/operators/within.ts';
export { type PipeTools, type Policy, type PolicyContext, policy, type ReportState } from './core/policy.ts';
export { ofMeaning } from './core/policy-run.ts';
export { type PreflightOptions, preflight, type Refusal } from './core/preflight.ts';
export { bgpNetwork, macTableEntry, servicePolicy, stickyMac, violationMode, vmPlacement } from './core/resources.ts';
export type { MeaningEvent, SnmpEvent, SyslogEvent } from './core/selector.ts';
export { bgp, config, fhrp, hsrp, interfaces, portSecurity, snmp, source, syslog, vm, vrrp } from './core/selectors.ts';
export type { Meaning, MeaningKind, MeaningOf } from './model/meaning.ts';
export type { Duration } from './model/time.ts';
