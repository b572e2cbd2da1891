// Owns: one HSRP group on one interface: the state machine of RFC 2281 section 5.3, stepped by inputs, without clock or
// sockets. Letters in comments are the RFC's events (a to l) and actions (A to I).
import type { HsrpState } from '../../src/model/meaning.ts';
import { addressNumber, type HsrpFacts } from './config-facts.ts';

export interface HsrpPacket {
  readonly opcode: 'hello' | 'coup' | 'resign';
  readonly interface: string;
  readonly group: number;
  readonly state: HsrpState;
  readonly address: string;
  readonly priority: number;
  readonly holdMs: number;
}

export interface HsrpPeer {
  readonly address: string;
  readonly priority: number;
}

/** `…Due` are points of the caller's clock, in milliseconds; undefined is a stopped timer. */
export interface HsrpGroup {
  facts: HsrpFacts;
  state: HsrpState;
  activeDue: number | undefined;
  standbyDue: number | undefined;
  helloDue: number | undefined;
  /** Undefined while unknown, and while it is this router. */
  active: HsrpPeer | undefined;
  standby: HsrpPeer | undefined;
  changes: number;
  changedAt: number;
}

export type HsrpInput =
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'timer' }
  | { readonly kind: 'packet'; readonly packet: HsrpPacket };

export interface HsrpStep {
  readonly sends: readonly HsrpPacket[];
  readonly changes: readonly { readonly from: HsrpState; readonly to: HsrpState }[];
}

export function createHsrpGroup(facts: HsrpFacts, now: number): HsrpGroup {
  const stopped = { activeDue: undefined, standbyDue: undefined, helloDue: undefined };
  return { facts, state: 'init', ...stopped, active: undefined, standby: undefined, changes: 0, changedAt: now };
}

/** The earliest point at which the group wants a `timer` input. */
export function hsrpNextDue(group: HsrpGroup): number | undefined {
  const dues = [group.activeDue, group.standbyDue, group.helloDue].filter((due) => due !== undefined);
  return dues.length > 0 ? Math.min(...dues) : undefined;
}

interface Turn {
  readonly group: HsrpGroup;
  readonly now: number;
  readonly sends: HsrpPacket[];
  readonly changes: { from: HsrpState; to: HsrpState }[];
}

/** Takes one input at `now`; changes the group, returns what is to be sent and what changed. */
export function stepHsrp(group: HsrpGroup, input: HsrpInput, now: number): HsrpStep {
  const turn: Turn = { group, now, sends: [], changes: [] };
  if (input.kind === 'up') comeUp(turn);
  else if (input.kind === 'down') goDown(turn);
  else if (input.kind === 'packet') hear(turn, input.packet);
  else for (let due = hsrpNextDue(group); due !== undefined && due <= now; due = hsrpNextDue(group)) ring(turn);
  return turn;
}

/** a: AB, to Listen. */
function comeUp(turn: Turn): void {
  if (turn.group.state !== 'init') return;
  startActive(turn);
  startStandby(turn);
  enter(turn, 'listen');
}

/** b: CDH, to Initial. */
function goDown(turn: Turn): void {
  const { group } = turn;
  if (group.state === 'init') return;
  if (group.state === 'active') send(turn, 'resign');
  enter(turn, 'init');
  group.activeDue = undefined;
  group.standbyDue = undefined;
  group.active = undefined;
  group.standby = undefined;
}

function hear(turn: Turn, packet: HsrpPacket): void {
  const { group } = turn;
  if (group.state === 'init' || packet.address === group.facts.address) return;
  if (packet.opcode === 'coup') hearCoup(turn, packet);
  else if (packet.opcode === 'resign') hearResign(turn, packet);
  else if (packet.state === 'active') hearActive(turn, packet);
  else if (packet.state === 'standby') hearStandby(turn, packet);
  else if (packet.state === 'speak') hearSpeak(turn, packet);
}

/** j: ABH, to Speak: the old active steps down and says so. */
function hearCoup(turn: Turn, packet: HsrpPacket): void {
  const { group } = turn;
  if (group.state !== 'active' || !wins(packet, group.facts)) return;
  group.active = peerOf(packet);
  startActive(turn, packet.holdMs);
  startStandby(turn);
  send(turn, 'resign');
  enter(turn, 'speak');
}

/** i: only from whom we took for active. */
function hearResign(turn: Turn, packet: HsrpPacket): void {
  const { group } = turn;
  if (group.active?.address === packet.address) activeGone(turn);
}

/** g and h: a hello from the active router, of higher or lower priority. */
function hearActive(turn: Turn, packet: HsrpPacket): void {
  const { group } = turn;
  const stronger = wins(packet, group.facts);
  if (!stronger && (group.state === 'active' || group.facts.preempt)) {
    send(turn, 'coup');
    if (group.state === 'active') return;
    startStandby(turn);
    enter(turn, 'active');
    return;
  }
  group.active = peerOf(packet);
  if (group.standby?.address === packet.address) group.standby = undefined;
  startActive(turn, packet.holdMs);
  if (group.state === 'active') {
    startStandby(turn);
    enter(turn, 'speak');
  }
}

/** k and l: a hello from the standby router, of higher or lower priority. */
function hearStandby(turn: Turn, packet: HsrpPacket): void {
  const { group } = turn;
  const stronger = wins(packet, group.facts);
  if (group.active?.address === packet.address) group.active = undefined;
  if (stronger || group.state === 'active' || group.state === 'listen') {
    group.standby = peerOf(packet);
    startStandby(turn, packet.holdMs);
  }
  if (stronger && (group.state === 'speak' || group.state === 'standby')) enter(turn, 'listen');
  else if (!stronger && group.state === 'speak') enter(turn, 'standby');
  else if (!stronger && group.state === 'listen') enter(turn, 'speak');
}

/** f: a higher one wants to be standby. */
function hearSpeak(turn: Turn, packet: HsrpPacket): void {
  const { group } = turn;
  if (!wins(packet, group.facts) || (group.state !== 'speak' && group.state !== 'standby')) return;
  startStandby(turn);
  enter(turn, 'listen');
}

/** c, d and e: one timer that is due. */
function ring(turn: Turn): void {
  const { group, now } = turn;
  const isDue = (due: number | undefined) => due !== undefined && due <= now;
  // Hellos go first: after a stall of the process nobody is to be taken for dead who only could not speak.
  if (isDue(group.helloDue)) {
    send(turn, 'hello');
    group.helloDue = now + group.facts.helloMs;
  } else if (isDue(group.activeDue)) activeGone(turn);
  else {
    group.standbyDue = undefined;
    group.standby = undefined;
    if (group.state === 'speak') enter(turn, 'standby');
    else if (group.state === 'listen') {
      startStandby(turn);
      enter(turn, 'speak');
    }
  }
}

/** Standby takes over; Listen puts itself forward. */
function activeGone(turn: Turn): void {
  const { group } = turn;
  group.active = undefined;
  group.activeDue = undefined;
  if (group.state === 'standby') enter(turn, 'active');
  else if (group.state === 'listen') {
    startStandby(turn);
    enter(turn, 'speak');
  }
}

function enter(turn: Turn, state: HsrpState): void {
  const { group, now } = turn;
  turn.changes.push({ from: group.state, to: state });
  group.state = state;
  group.changes += 1;
  group.changedAt = now;
  group.helloDue = state === 'speak' || state === 'standby' || state === 'active' ? now : undefined;
  if (state === 'active') {
    group.activeDue = undefined;
    group.active = undefined;
  }
  if (state === 'standby') {
    group.standbyDue = undefined;
    group.standby = undefined;
    // Nobody was active while we spoke: take over at once, as IOS does.
    group.activeDue ??= now;
  }
}

function send({ group, sends }: Turn, opcode: HsrpPacket['opcode']): void {
  const { interface: name, group: number, address, priority, holdMs } = group.facts;
  sends.push({ opcode, interface: name, group: number, state: group.state, address, priority, holdMs });
}

function startActive({ group, now }: Turn, holdMs = group.facts.holdMs): void {
  group.activeDue = now + holdMs;
}

function startStandby({ group, now }: Turn, holdMs = group.facts.holdMs): void {
  group.standbyDue = now + holdMs;
}

const peerOf = ({ address, priority }: HsrpPacket): HsrpPeer => ({ address, priority });

/** The higher priority wins, then the higher address. */
function wins(peer: HsrpPeer, than: HsrpPeer): boolean {
  return peer.priority !== than.priority
    ? peer.priority > than.priority
    : addressNumber(peer.address) > addressNumber(than.address);
}
