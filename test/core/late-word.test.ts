// Late word of an earlier request for the same VM to the same host: the one that was asked for since is another.
import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { present } from '../../src/core/desire.ts';
import { policy } from '../../src/core/policy.ts';
import { vm } from '../../src/core/selectors.ts';
import type { MeaningOf } from '../../src/model/meaning.ts';
import { apply, qos, Stage, takeOff, told } from './holding.ts';
import { eventOf, lines, Rig, replay } from './rig.ts';

type How = MeaningOf<'vm.migration-ended'>['how'];

const web1 = { vm: 'web1', uuid: 'uuid-web1' };
const between = { ...web1, from: 'kvm1', to: 'kvm2' };
const asked = (request: string) => eventOf('kvm1', { kind: 'vm.migration-requested', ...between, request, perform: false });
const ended = (request: string | undefined, how: How = 'cancelled', to = 'kvm2') =>
  eventOf('kvm1', { kind: 'vm.migration-ended', ...between, to, how, ...(request === undefined ? {} : { request }) });
const marked = eventOf('kvm1', { kind: 'vm.metadata-changed', ...web1, type: 'element', request: { to: 'kvm2' } });

/** A while after what came before. */
function says(rig: Rig, event: ReturnType<typeof eventOf>): ReturnType<Rig['event']> {
  rig.now += 500;
  return rig.event(event);
}

const onKvm1 = eventOf('kvm1', { kind: 'vm.observed', ...web1, state: 'running', reason: 'booted', nics: [] });

describe('a hold', () => {
  const on = qos();
  const stageOf = (): Stage & { readonly hears: (event: ReturnType<typeof eventOf>) => readonly string[] } => {
    const stage = new Stage(on);
    return Object.assign(stage, { hears: (event: ReturnType<typeof eventOf>) => told(says(stage.rig, event)) });
  };

  test.each(['cancelled', 'failed', 'migrated'] as const)('stays when an earlier one is said to be over: %s', (how) => {
    const stage = stageOf();
    expect(stage.hears(asked('r1'))).toEqual([apply]);
    stage.applied(null);
    stage.start();
    expect(stage.fail()).toEqual([takeOff]);
    stage.ends('done');
    expect(stage.hears(asked('r2'))).toEqual([apply]);
    stage.applied(null);
    expect(stage.hears(ended('r1', how))).toEqual([]);
    expect(stage.rig.engine.facts.vm('web1')?.migration).toMatchObject({ phase: 'requested', request: 'r2' });
    expect(stage.hears(ended('r2', how))).toEqual([takeOff]);
    expect(stage.rig.engine.facts.vm('web1')?.migration).toBeUndefined();
    stage.replays(on);
  });

  test('stays also where the word comes in the same millisecond', () => {
    const stage = stageOf();
    stage.hears(asked('r2'));
    stage.applied(null);
    expect(told(stage.rig.event(ended('r1')))).toEqual([]);
  });

  test('ends by a word that names no request', () => {
    const stage = stageOf();
    stage.hears(asked('r1'));
    stage.applied(null);
    expect(stage.hears(ended(undefined, 'cancelled', 'kvm3'))).toEqual([]);
    expect(stage.hears(ended(undefined))).toEqual([takeOff]);
  });

  test('of a mark ends by whatever id whoever set it has: the one it got here nobody was told', () => {
    const stage = stageOf();
    stage.hears(marked);
    stage.applied(null);
    expect(stage.rig.engine.facts.vm('web1')?.migration).toMatchObject({ phase: 'requested' });
    expect(stage.hears(ended('theirs'))).toEqual([takeOff]);
  });

  test('of a mark stays when an earlier mark is said to be over, and ends by its own', () => {
    const stage = stageOf();
    stage.hears(marked);
    const first = stage.rig.engine.facts.vm('web1')!.migration!.request!;
    stage.applied(null);
    stage.hears(marked);
    const second = stage.rig.engine.facts.vm('web1')!.migration!.request!;
    expect(second).not.toBe(first);
    expect(stage.hears(ended(first))).toEqual([]);
    expect(stage.hears(ended(second))).toEqual([takeOff]);
  });
});

describe('whether a word is meant', () => {
  /** Tells of each word whether it is meant. */
  const asks = policy({
    name: 'asks',
    on: vm.migrationEnded(),
    pipe: (events, { isMeant }) =>
      events.pipe(map((event) => present({ kind: 'told', target: `${event.request ?? 'any'} ${isMeant(event)}` }))),
  });
  const started = eventOf('kvm2', { kind: 'vm.lifecycle', ...web1, event: 'started', detail: 'migrated' });

  test('for the one that is on, a pipe asks', () => {
    const rig = new Rig([asks]);
    const hears = (event: ReturnType<typeof eventOf>) => lines(says(rig, event));
    hears(onKvm1);
    // None is on.
    expect(hears(ended('r1'))).toEqual(['present r1 true']);
    hears(asked('r2'));
    expect(hears(ended('r1'))).toEqual(['present r1 false']);
    hears(started);
    expect(hears(ended('r1'))).toEqual(['present r1 false']);
    expect(hears(ended('r2'))).toEqual(['present r2 true']);
    expect(hears(ended(undefined))).toEqual(['present any true']);
    expect(hears(ended('r2', 'cancelled', 'kvm3'))).toEqual(['present r2 false']);
    // What the hosts show names the request that it was.
    expect(hears(eventOf('kvm2', { kind: 'vm.lifecycle', ...web1, event: 'stopped', detail: 'failed' }))).toEqual([
      'present r2 true',
    ]);
    expect(replay([asks], rig.entries).intents).toEqual(rig.intents);
  });

  test('one that nobody asked for here is meant by every word of its host', () => {
    const rig = new Rig([asks]);
    const hears = (event: ReturnType<typeof eventOf>) => lines(says(rig, event));
    hears(onKvm1);
    hears(started);
    expect(hears(ended('r1'))).toEqual(['present r1 true']);
    expect(hears(ended('r1', 'cancelled', 'kvm3'))).toEqual(['present r1 false']);
  });
});
