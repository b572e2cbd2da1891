// Owns: one VM: how it stands on each host, the migration that is on, and what one host's word changes and means.
//
// V1. A migration is known by both hosts' words, which have no common order and no common clock: each may come first.
// V2. One host's words are in order: what it says to have come to it has left it before, or is told late and means nothing.
// V3. The source says nothing of a failure: the destination tells, or what is read of both hosts does.
// V4. What was lost is found by looking: a place that differs from what is known is a word like any other.
// V5. At most one migration of a VM is open, and each that was begun ends, once.
import { type Place, placeOf } from '../model/domain-place.ts';
import { hostsPerVmMax, migrationStartWithinMs } from '../model/limits.ts';
import type { MeaningOf, Nic } from '../model/meaning.ts';
import type { DomainRow } from '../model/query.ts';

export interface Standing {
  readonly place: Place;
  /** Only its definition is there. */
  readonly off: boolean;
  /** When the host last said so. */
  at: number;
  /** Gone because the other host has it: its own word of that is still to come. */
  readonly owing?: true;
}

export interface Migration {
  /** Empty until some host has said it. */
  from: string;
  to: string;
  /** `requested`, `started`, and `arrived`: it runs at its destination, whose last word is still to come (post-copy). */
  phase: 'requested' | 'started' | 'arrived';
  readonly since: number;
  request?: string;
  /** The start was told. */
  told: boolean;
  /** How it stood on its two hosts when they were looked at since: both together tell how it ended. */
  readonly read: Record<string, Place | 'off'>;
}

export interface VmFact {
  readonly uuid: string;
  vm: string;
  /** By target, the last heard of last. */
  readonly places: Record<string, Standing>;
  /** The host that it left, while nobody has said where to. */
  left?: string;
  /** As last seen: where it has left there is no XML to read any more. */
  nics: readonly Nic[];
  migration?: Migration;
}

export type Told = MeaningOf<
  'vm.migration-requested' | 'vm.migration-started' | 'vm.migrated' | 'vm.migration-failed' | 'vm.migration-ended'
>;
type Row = Pick<DomainRow, 'state' | 'reason' | 'job'>;
/** `running`: the rest of it is still at the source (post-copy). */
type How = 'running' | 'for good';
type Detail = Partial<Pick<Standing, 'off' | 'owing'>>;

export function standing({ places }: VmFact, host: string): Standing | undefined {
  return Object.hasOwn(places, host) ? places[host] : undefined;
}

function isRunning({ place, off }: Standing): boolean {
  return place === 'leaving' || (place === 'here' && !off);
}

/** What a hypervisor says of the life of the domain it has. */
export function lifecycle(vm: VmFact, host: string, { event, detail }: MeaningOf<'vm.lifecycle'>, at: number): readonly Told[] {
  switch (event) {
    case 'started':
      return detail === 'migrated' ? coming(vm, host, at) : isAt(vm, host, 'here', at);
    case 'resumed':
      return resumed(vm, host, detail, at);
    case 'suspended':
      if (detail === 'migrated') return switching(vm, host, at);
      // So ends a migration of what was paused, or shall be.
      return detail === 'paused' && standing(vm, host)?.place === 'coming' ? arrived(vm, host, 'for good', at) : [];
    case 'stopped':
      return detail === 'migrated' ? left(vm, host, at) : stopped(vm, host, detail, at);
    case 'defined':
      return detail === 'added' ? defined(vm, host, at) : [];
    case 'undefined':
      // Measured: under its new name it is told next.
      return detail !== 'renamed' && standing(vm, host)?.off ? isAt(vm, host, 'gone', at) : [];
    default:
      return [];
  }
}

/** An iteration on a host: of a migration from there, or of a save or a dump. */
export function iterated(vm: VmFact, host: string): readonly Told[] {
  learnSource(vm, host);
  return tellStart(vm);
}

/** The source says that it has left: in this host's order nothing of this migration comes after it. */
export function left(vm: VmFact, host: string, at: number): readonly Told[] {
  if (standing(vm, host)?.place === 'gone') return isAt(vm, host, 'gone', at);
  learnSource(vm, host);
  put(vm, host, 'gone', at);
  const { migration } = vm;
  if (migration?.from !== host || migration.phase === 'requested') {
    if (hostsWith(vm).length === 0) vm.left ??= host;
    return [];
  }
  // The destination's own word is lost, or on its way: then it finds nothing left to tell.
  return arrived(vm, migration.to, 'for good', at);
}

/** As listed or read. */
export function observed(vm: VmFact, host: string, row: Row, at: number): readonly Told[] {
  // Measured: so it stands for 0.3 s and more before its host says whether it was booted or comes from elsewhere, and it always does.
  if (row.state === 'paused' && row.reason === 'starting-up' && row.job === undefined) return [];
  const known = standing(vm, host);
  const off = row.state === 'shutoff';
  // Paused for its migration is also who is about to leave.
  const isSource = vm.migration?.from === host || (known?.owing && vm.left === undefined) || (known && isRunning(known));
  const place = placeOf(row) === 'coming' && row.job === undefined && isSource ? 'leaving' : placeOf(row);
  note(vm, host, off && place === 'here' ? 'off' : place, at);
  return [...seen(vm, host, place, row, at), ...conclude(vm, at)];
}

function seen(vm: VmFact, host: string, place: Place, row: Row, at: number): readonly Told[] {
  switch (place) {
    case 'coming':
      return coming(vm, host, at);
    case 'leaving':
      return leavingSeen(vm, host, at);
    case 'gone':
      // Seen for the first time it may have left at any time.
      return standing(vm, host) || vm.migration?.from === host ? left(vm, host, at) : isAt(vm, host, 'gone', at);
    case 'here':
      return row.state === 'shutoff' ? offSeen(vm, host, row, at) : hereSeen(vm, host, row, at);
  }
}

/** It is not on this host, which was listed or read. */
export function absent(vm: VmFact, host: string, at: number): readonly Told[] {
  note(vm, host, 'gone', at);
  const known = standing(vm, host);
  if (known) put(vm, host, 'gone', at);
  if (!known || known.place === 'gone') return conclude(vm, at);
  const { migration } = vm;
  if (known.place === 'coming' && migration?.to === host && migration.phase !== 'requested')
    return fallenBack(vm, migration, `${host} does not have it any more`);
  if (!known.off && known.place !== 'coming' && hostsWith(vm).length === 0) vm.left ??= host;
  return conclude(vm, at);
}

/** Where it runs, or else is defined; one that leaves is still there. `but`: a host that is not asked about. */
export function homesOf(vm: VmFact, but?: string): readonly string[] {
  const homes = hostsWith(vm).filter((name) => name !== but && standing(vm, name)!.place !== 'coming');
  const running = homes.filter((name) => !standing(vm, name)!.off);
  return running.length > 0 ? running : homes;
}

/** Somebody wants it migrated. What is on already goes on: it gets the name of the request where it is the same. */
export function requested(
  vm: VmFact,
  { from, to, request }: Pick<MeaningOf<'vm.migration-requested'>, 'from' | 'to' | 'request'>,
  at: number,
): void {
  const { migration } = vm;
  if (!migration || migration.phase === 'requested')
    vm.migration = { from, to, phase: 'requested', since: at, request, told: false, read: {} };
  else if (migration.to === to) migration.request = request;
}

/** A request that came as a mark on the domain, at this time: its id is made here. */
export function markId({ uuid }: VmFact, at: number): string {
  return `${markOf(uuid)}${at}`;
}

const markOf = (uuid: string): string => `mark-${uuid}-`;

/**
 * Whether word that a migration is over is meant for the one that is on, or asked for, now: to the same host, and of the same request
 * where both name one. Whoever set a mark was not told its id here, and may say the end under any but that of another mark. True where
 * none is on.
 */
export function isMeant(
  { to, request }: Pick<MeaningOf<'vm.migration-ended'>, 'to' | 'request'>,
  { uuid, migration }: Pick<VmFact, 'uuid' | 'migration'>,
): boolean {
  if (!migration) return true;
  if (migration.to !== to) return false;
  const { request: known } = migration;
  if (request === undefined || known === undefined || request === known) return true;
  return known.startsWith(markOf(uuid)) && !request.startsWith(markOf(uuid));
}

/** It will not be begun. */
export function given(vm: VmFact, how: 'failed' | 'cancelled', reason: string): readonly Told[] {
  return vm.migration?.phase === 'requested' ? failed(vm, vm.migration, how, reason) : [];
}

/** The host it runs on, or is defined on, other than this one; else the one it was last known to leave. */
export function origin(vm: VmFact, host: string): string | undefined {
  const candidates = homesOf(vm, host);
  if (candidates.length > 0) return candidates.length === 1 ? candidates[0] : undefined;
  return vm.left === host ? undefined : vm.left;
}

/** The hosts that have it, whether for good or on the way. */
export function hostsWith({ places }: VmFact): readonly string[] {
  return Object.entries(places).flatMap(([host, { place }]) => (place === 'gone' ? [] : [host]));
}

/** A migration to `host` has started there. */
function coming(vm: VmFact, host: string, at: number): readonly Told[] {
  const known = standing(vm, host);
  if (known && isRunning(known)) return [];
  const asked = vm.migration;
  put(vm, host, 'coming', at);
  if (asked?.to === host && asked.phase !== 'requested') return [];
  const same = asked?.to === host ? asked : undefined;
  const displaced = asked && !same ? failed(vm, asked, 'failed', `${host} takes it in instead`) : [];
  const request = same?.request === undefined ? {} : { request: same.request };
  // Whoever asked may have been wrong about where it is, as who asks for it to come to where it is.
  const said = same?.from === host ? undefined : same?.from;
  const from = origin(vm, host) ?? said ?? '';
  vm.migration = { from, to: host, phase: 'started', since: at, told: false, read: {}, ...request };
  return [...displaced, ...tellStart(vm)];
}

/** Only a source says this, or still has it: where that was not known yet, now it is. */
function learnSource({ migration }: VmFact, host: string): void {
  if (migration && migration.phase !== 'requested' && migration.from === '' && migration.to !== host) migration.from = host;
}

function tellStart(vm: VmFact): readonly Told[] {
  const { migration } = vm;
  if (!migration || migration.phase === 'requested' || migration.told || migration.from === '') return [];
  migration.told = true;
  return [{ kind: 'vm.migration-started', ...between(vm, migration), macs: macsOf(vm) }];
}

/** Paused for the switch-over: not final, a late abort resumes it. */
function switching(vm: VmFact, host: string, at: number): readonly Told[] {
  // Its switch-over is over: the other host was heard first.
  if (standing(vm, host)?.owing) return [];
  learnSource(vm, host);
  put(vm, host, 'leaving', at);
  return tellStart(vm);
}

function resumed(vm: VmFact, host: string, detail: string, at: number): readonly Told[] {
  const known = standing(vm, host);
  if (detail === 'migrated') return arrived(vm, host, 'for good', at);
  if (detail === 'post-copy') return arrived(vm, host, 'running', at);
  if (known?.place === 'coming') return [];
  // At a source this is no end: so says a late abort, and so says a client that paused it in mid-migration (V3).
  return isAt(vm, host, 'here', at);
}

/** It is at `host`. Its start may have been lost; said twice it means nothing. */
function arrived(vm: VmFact, host: string, how: How, at: number): readonly Told[] {
  const { migration } = vm;
  const known = standing(vm, host);
  const from = origin(vm, host);
  put(vm, host, 'here', at);
  if (migration?.to === host && migration.phase === 'arrived') return how === 'for good' ? endAtDestination(vm, migration) : [];
  if (migration?.to === host && migration.phase === 'started') return moved(vm, migration.from || (from ?? ''), host, how, at);
  if ((known?.place === 'here' && !known.off) || from === undefined) return [];
  return moved(vm, from, host, how, at);
}

function moved(vm: VmFact, from: string, to: string, how: How | 'offline', at: number): readonly Told[] {
  const before = vm.migration;
  const displaced = before && before.to !== to ? failed(vm, before, 'failed', `it has come to ${to} instead`) : [];
  const request = before?.to === to && before.request !== undefined ? { request: before.request } : {};
  const migration: Migration = { from, to, phase: 'arrived', since: at, told: true, read: {}, ...request };
  const offline = how === 'offline' ? { offline: true } : {};
  const migrated: Told = {
    kind: 'vm.migrated',
    ...between(vm, migration),
    macs: macsOf(vm),
    vlans: vlansOf(vm),
    nics: [...vm.nics],
    ...offline,
  };
  delete vm.left;
  vm.migration = migration;
  return [...displaced, migrated, ...(how === 'running' ? [] : endAtDestination(vm, migration))];
}

function endAtDestination(vm: VmFact, migration: Migration): readonly Told[] {
  const source = standing(vm, migration.from);
  if (source && source.place !== 'gone') put(vm, migration.from, 'gone', source.at, { owing: true });
  return end(vm, migration, 'migrated');
}

/** Stopped without having migrated: at a destination that is the end of a migration. */
function stopped(vm: VmFact, host: string, detail: string, at: number): readonly Told[] {
  const { migration } = vm;
  const wasComing = standing(vm, host)?.place === 'coming';
  const isDestination = migration?.to === host && (migration.phase === 'arrived' || (migration.phase === 'started' && wasComing));
  put(vm, host, wasComing || isDestination ? 'gone' : 'here', at, { off: true });
  return isDestination ? fallenBack(vm, migration, `${host} stopped it: ${detail}`) : [];
}

/** An offline migration says no more than that the destination has a definition which another host had, shut off. */
function defined(vm: VmFact, host: string, at: number): readonly Told[] {
  const known = standing(vm, host);
  if (known && known.place !== 'gone') return [];
  const from = hostsWith(vm).find((name) => standing(vm, name)!.place === 'here' && standing(vm, name)!.off);
  put(vm, host, 'here', at, { off: true });
  if (from === undefined) return [];
  put(vm, from, 'gone', at);
  return moved(vm, from, host, 'offline', at);
}

function leavingSeen(vm: VmFact, host: string, at: number): readonly Told[] {
  if (standing(vm, host)?.owing) return [];
  learnSource(vm, host);
  put(vm, host, 'leaving', at);
  return tellStart(vm);
}

/** Seen there, and not running: where it was to come to, that is the end. */
function offSeen(vm: VmFact, host: string, { reason }: Row, at: number): readonly Told[] {
  if (standing(vm, host)?.place === 'coming') return stopped(vm, host, reason, at);
  return isAt(vm, host, 'here', at, { off: true });
}

/** Seen there: what says that it has come, or is back, may have been lost. */
function hereSeen(vm: VmFact, host: string, { reason }: Row, at: number): readonly Told[] {
  const { migration } = vm;
  const known = standing(vm, host);
  const how: How = reason === 'postcopy' ? 'running' : 'for good';
  const came = migration?.to === host && migration.phase !== 'requested';
  const isNews = !known || known.place === 'gone' || known.place === 'coming' || known.off;
  // Listed before it left, and told after: then the other host still has it.
  const whence = known?.owing ? vm.left : origin(vm, host);
  const byMigration = isNews && (reason === 'migrated' || reason === 'postcopy') && whence !== undefined;
  if (came || byMigration) return arrived(vm, host, how, at);
  learnSource(vm, host);
  put(vm, host, 'here', at);
  return tellStart(vm);
}

/** Of a request only what is read after its time is up: until then its start may be on its way. */
function note({ migration }: VmFact, host: string, seen: Place | 'off', at: number): void {
  if (!migration || (host !== migration.from && host !== migration.to)) return;
  if (migration.phase !== 'requested' || at - migration.since >= migrationStartWithinMs) migration.read[host] = seen;
}

/** Both hosts were looked at since it began, and nothing is under way: that is how it ended (V3). */
function conclude(vm: VmFact, at: number): readonly Told[] {
  const { migration } = vm;
  const source = migration?.read[migration.from];
  // A host that nobody knows, or can look at, is never read: a request does not wait for it for ever.
  const isStale = migration?.phase === 'requested' && at - migration.since >= 10 * migrationStartWithinMs;
  const destination = migration?.read[migration.to] ?? (isStale ? 'gone' : undefined);
  if (!migration || source === undefined || destination === undefined) return [];
  const { from, to, phase } = migration;
  const isUnderWay = [source, destination].some((seen) => seen === 'coming' || seen === 'leaving');
  if (isUnderWay || (source === 'here' && destination === 'here')) return [];
  if (destination === 'here') return phase === 'arrived' ? endAtDestination(vm, migration) : moved(vm, from, to, 'for good', at);
  if (destination === 'off' && source === 'gone') return moved(vm, from, to, 'offline', at);
  if (source === 'gone') return failed(vm, migration, 'failed', `neither ${from} nor ${to} has it`);
  const why =
    phase === 'requested' ? `no start within ${migrationStartWithinMs / 1000} s of the request` : `it is still on ${from}`;
  return failed(vm, migration, 'failed', why);
}

/** The destination has lost it: it goes on at its source, which says nothing of that (V3). */
function fallenBack(vm: VmFact, migration: Migration, reason: string): readonly Told[] {
  const source = standing(vm, migration.from);
  if (source?.place === 'leaving') vm.places[migration.from] = { ...source, place: 'here' };
  return failed(vm, migration, 'failed', reason);
}

function failed(vm: VmFact, migration: Migration, how: 'failed' | 'cancelled', reason: string): readonly Told[] {
  return [{ kind: 'vm.migration-failed', ...between(vm, migration), reason }, ...end(vm, migration, how, reason)];
}

function end(vm: VmFact, migration: Migration, how: 'migrated' | 'failed' | 'cancelled', reason?: string): readonly Told[] {
  delete vm.migration;
  const request = migration.request === undefined ? {} : { request: migration.request };
  const why = reason === undefined ? {} : { reason };
  return [{ kind: 'vm.migration-ended', ...between(vm, migration), how, ...request, ...why }];
}

/** Beyond hostsPerVmMax the host that was not heard of for longest is forgotten. */
function put({ places }: VmFact, host: string, place: Place, at: number, more?: Detail): void {
  const hosts = Object.keys(places);
  const known = hosts.at(-1) === host ? places[host]! : undefined;
  const off = place === 'gone';
  // Said again by the host that was heard last, as of a guest that is paused and goes on all day: nothing is made anew.
  if (known && !more && known.place === place && known.off === off && !known.owing) {
    known.at = at;
    return;
  }
  if (!known) delete places[host];
  places[host] = { place, off, at, ...more };
  if (hosts.length >= hostsPerVmMax && !hosts.includes(host)) delete places[hosts[0]!];
}

/** It is so, and that is all there is to it. */
function isAt(vm: VmFact, host: string, place: Place, at: number, more?: Detail): readonly Told[] {
  put(vm, host, place, at, more);
  return [];
}

function between({ vm, uuid }: VmFact, { from, to }: Migration) {
  return { vm, uuid, from, to };
}

const macsOf = ({ nics }: VmFact): string[] => [...new Set(nics.map(({ mac }) => mac))];
const vlansOf = ({ nics }: VmFact): number[] => [...new Set(nics.flatMap(({ vlan }) => (vlan === undefined ? [] : [vlan])))];
