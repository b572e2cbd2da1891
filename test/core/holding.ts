// Owns: a stage for holds: two hypervisors, two switches, a policy that holds a policy-map while a VM migrates; intents as lines.
import { expect } from 'vitest';
import { type Policy, policy } from '../../src/core/policy.ts';
import { servicePolicy } from '../../src/core/resources.ts';
import { vm } from '../../src/core/selectors.ts';
import type { EnsureWant, Intent } from '../../src/model/intent.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { OutcomeKind } from '../../src/model/outcome.ts';
import { inventorySchema } from '../../src/model/target.ts';
import { eventOf, Rig, replay, targetOf } from './rig.ts';

const host = (address: string) => ({ platform: 'libvirt', address, libvirt: { transport: 'unix', socket: '/run/x' } });
const inventory = inventorySchema.parse({
  targets: {
    kvm1: host('10.0.0.11'),
    kvm2: host('10.0.0.12'),
    sw1: { platform: 'cisco-ios', address: '10.0.0.1' },
    sw2: { platform: 'cisco-ios', address: '10.0.0.2' },
  },
  gateways: {},
});

export const map = 'LIVE-MIGRATION';
export const port = (target: string) => ({ target, interface: 'Gi1/0/1' });

interface Shape {
  readonly replace?: true;
  readonly ports?: readonly string[];
  readonly lingers?: '10s';
}

export const qos = ({ replace, lingers, ports = ['sw1'] }: Shape = {}): Policy =>
  policy({
    name: 'qos',
    on: [vm.migrationRequested(), vm.migrationStarted()],
    until: vm.migrationEnded(),
    atMost: '30m',
    ...(replace ? { replace } : {}),
    ...(lingers ? { lingers } : {}),
    hold: ({ vm: name }) => {
      if (name === 'bad') throw new Error('bad code');
      return ports.map((target) => servicePolicy(port(target), 'output', map));
    },
  });

const between = (name: string) => ({ vm: name, uuid: `uuid-${name}`, from: 'kvm1', to: 'kvm2' });
const asked = (name = 'web1'): Meaning => ({
  kind: 'vm.migration-requested',
  ...between(name),
  request: `r-${name}`,
  perform: false,
});
const runs = (name = 'web1'): Meaning => ({
  kind: 'vm.lifecycle',
  vm: name,
  uuid: `uuid-${name}`,
  event: 'resumed',
  detail: 'unpaused',
});
const word = (event: 'started' | 'resumed' | 'stopped', detail: string, name = 'web1'): Meaning => ({
  kind: 'vm.lifecycle',
  vm: name,
  uuid: `uuid-${name}`,
  event,
  detail,
});

/** A rig in which intents are answered by target and value, and told as lines. */
export class Stage {
  readonly rig: Rig;

  constructor(subject: Policy = qos()) {
    this.rig = new Rig([subject], { inventory });
    for (const name of ['web1', 'db1', 'bad']) this.rig.event(eventOf('kvm1', runs(name)));
  }

  ask = (name?: string) => told(this.rig.event(eventOf('kvm1', asked(name))));
  start = (name?: string) => told(this.rig.event(eventOf('kvm2', word('started', 'migrated', name))));
  fail = (name?: string) => told(this.rig.event(eventOf('kvm2', word('stopped', 'failed', name))));
  arrive = (name?: string) => told(this.rig.event(eventOf('kvm2', word('resumed', 'migrated', name))));

  /** The newest ensure of a target. */
  newest(target = 'sw1', nth = -1): Intent & { readonly want: EnsureWant } {
    const found = this.rig.intents.filter(({ want }) => want.kind === 'ensure' && want.resource.target === target).at(nth);
    if (found?.want.kind !== 'ensure') throw new Error(`nothing was wanted of ${target}`);
    return found as Intent & { readonly want: EnsureWant };
  }

  attempt(before: string | null, target?: string, nth?: number): readonly string[] {
    const { id } = this.newest(target, nth);
    return told(this.rig.feed({ kind: 'attempt', intent: id, deadlineMs: 30_000, plan: ['x'], before }).intents);
  }

  ends(kind: OutcomeKind, target?: string, nth?: number, reason?: string): readonly string[] {
    const { id } = this.newest(target, nth);
    const outcome = { kind, ...(reason === undefined ? {} : { reason }) };
    return told(this.rig.feed({ kind: 'outcome', intent: id, outcome }).intents);
  }

  /** The newest is applied, over what stood there before. */
  applied(before: string | null, target?: string): void {
    this.attempt(before, target);
    this.ends('done', target);
  }

  /** Both hosts are read: it runs on kvm1 and is not on kvm2, or as said. */
  reads(reads: readonly Intent[], at: Readonly<Record<string, string>> = { kvm1: 'running/booted' }): readonly string[] {
    return reads
      .filter(({ want }) => want.kind === 'read')
      .flatMap((intent) => {
        const target = targetOf(intent);
        const [state, reason] = at[target]?.split('/') ?? [];
        const row = { uuid: 'uuid-web1', vm: 'web1', state, reason: reason?.split(' ')[0], nics: [], job: reason?.split(' ')[1] };
        const result = { kind: 'rows' as const, rows: state === undefined ? [] : [row] };
        return told(
          this.rig.feed({ kind: 'reading', reading: { target, query: 'domains', intent: intent.id, result, tookMs: 5 } }).intents,
        );
      });
  }

  pass = (ms: number) => this.rig.pass(ms);

  /** The journal gives the same again. */
  replays(subject: Policy): void {
    const again = replay([subject], this.rig.entries);
    expect(again.intents).toEqual(this.rig.intents);
    expect(again.engine.cells.snapshot()).toEqual(this.rig.engine.cells.snapshot());
  }
}

/** `sw1 +LIVE-MIGRATION over none`, `sw1 -LIVE-MIGRATION`, `notice hold-overdue`, `read kvm1`. */
export function told(intents: readonly Intent[]): readonly string[] {
  return intents.map(({ want }) => {
    if (want.kind === 'notice') return `notice ${want.code}`;
    if (want.kind === 'read') return `read ${want.target}`;
    if (want.kind === 'report') return `report ${want.state}`;
    const { resource, desired, replaces, withdraw } = want;
    if (withdraw) return `${resource.target} withdraw`;
    const over = replaces ? ` over ${replaces.map((each) => each ?? 'none').join('|')}` : '';
    return `${resource.target} ${desired === 'present' ? '+' : '-'}${resource.policy}${over}`;
  });
}

export const apply = `sw1 +${map} over none|${map}`;
export const takeOff = `sw1 -${map} over ${map}`;
