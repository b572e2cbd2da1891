// Where a journal takes entries before they are durable: what is thought about at once, and who is told when.
import { mergeMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import { Engine } from '../../src/core/engine.ts';
import { bgpNetwork, config, policy } from '../../src/index.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { Host } from '../../src/runtime/host.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';
import { eventOf, inventory } from './rig.ts';

const wanting = policy({
  name: 'wanting',
  on: config.changed(),
  ensure: ({ target }) => bgpNetwork({ target }, '23.0.0.0/8'),
});
const reporting = policy({
  name: 'reporting',
  on: config.changed(),
  pipe: (heard, { report }) => heard.pipe(mergeMap(() => report({ request: 'r-1' }, 'running', 'heard'))),
});

const changed = () => eventOf('gw-a', { kind: 'config.changed' });

/** A disk that syncs when it is told to. */
class SlowDisk {
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  asked = 0;
  /** Whether appends wait for it. */
  takes = false;
  readonly memory = memoryJournal();

  readonly append: Journal['append'] = async (batch, expect) => {
    const answer = await this.memory.append(batch, expect);
    if (!this.takes) return answer;
    return {
      ...answer,
      durable: () => {
        this.asked += 1;
        const wait = Promise.withResolvers<void>();
        this.#waiting.push(wait);
        return wait.promise;
      },
    };
  };

  sync(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  fail(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('EIO'));
  }
}

async function hostOn(...policies: ReturnType<typeof policy>[]) {
  const wall = new VirtualWall(1_000_000);
  const disk = new SlowDisk();
  const engine = new Engine(policies.map((one) => ({ policy: one, version: 'v1' })));
  const [stepped, executed, told, failures]: string[][] = [[], [], [], []];
  const host = new Host({
    journal: { ...disk.memory, append: disk.append },
    epoch: 1,
    engine: () => engine,
    wall,
    execute: ({ want }) => void executed!.push(want.kind),
    onEntry: ({ kind }) => void stepped!.push(kind),
    onFailure: ({ message }) => void failures!.push(message),
  });
  const begun = host.begin({ lastSeq: 0, lastAt: 0, nextDue: undefined }, [
    { kind: 'inventory', inventory },
    ...policies.map(({ name }) => ({ kind: 'deploy', policy: name, version: 'v1', runtime: 'test' }) as const),
  ]);
  await wall.advance(0);
  await begun;
  disk.takes = true;
  stepped!.splice(0);
  const offer = (name: string): void =>
    void host.sink('test').offer([changed()], (error) => told!.push(`${name}${error ? `: ${error.message}` : ''}`));
  return { host, wall, disk, offer, stepped: stepped!, executed: executed!, told: told!, failures: failures! };
}

describe('what is taken and not yet durable', () => {
  it('is stepped, and looking for what is wanted begins', async () => {
    const { wall, offer, stepped, executed, told } = await hostOn(wanting);
    offer('event');
    await wall.advance(0);
    expect(stepped).toEqual(['decided', 'event', 'decided', 'intent']);
    expect([executed, told]).toEqual([['ensure'], []]);
  });

  it('is told of when it is durable, in the order of the journal', async () => {
    const { host, wall, disk, offer, told } = await hostOn();
    offer('first');
    await wall.advance(0);
    void host.submit({ kind: 'tick' }).then(() => told.push('second'));
    await wall.advance(0);
    disk.takes = false;
    offer('third');
    await wall.advance(0);
    expect(told).toEqual([]);
    disk.sync();
    await wall.advance(0);
    expect(told).toEqual(['first', 'second', 'third']);
  });

  it('is brought to the disk at once for whoever waits, and for a source within 1 ms, with all before it', async () => {
    const { host, wall, disk, offer, told } = await hostOn();
    offer('first');
    await wall.advance(0);
    offer('second');
    await wall.advance(0.5);
    expect(disk.asked).toBe(0);
    void host.submit({ kind: 'tick' });
    await wall.advance(0);
    expect(disk.asked).toBe(1);
    disk.sync();
    await wall.advance(0);
    expect(told).toEqual(['first', 'second']);
    offer('third');
    await wall.advance(0);
    expect(disk.asked).toBe(1);
    await wall.advance(1);
    expect(disk.asked).toBe(2);
  });

  it('is reported to nobody outside', async () => {
    const { wall, disk, offer, executed } = await hostOn(reporting);
    offer('event');
    await wall.advance(10);
    expect(executed).toEqual([]);
    disk.sync();
    await wall.advance(0);
    expect(executed).toEqual(['report']);
  });

  it('is durable before the host has stopped', async () => {
    const { host, wall, disk, offer, told } = await hostOn();
    offer('event');
    await wall.advance(0);
    let isStopped = false;
    const stopped = host.stop().then(() => (isStopped = true));
    await wall.advance(0);
    expect([isStopped, disk.asked]).toEqual([false, 1]);
    disk.sync();
    await stopped;
    expect(told).toEqual(['event']);
  });

  it('stops the host where the disk fails, whatever the disk says later', async () => {
    const { host, wall, disk, offer, told, failures } = await hostOn();
    offer('first');
    const submitted = host.submit({ kind: 'tick' });
    submitted.catch(() => undefined);
    await wall.advance(0);
    offer('second');
    await wall.advance(0);
    disk.fail();
    await wall.advance(1);
    disk.sync();
    await wall.advance(0);
    expect(told).toEqual(['first: EIO', 'second: EIO']);
    expect(failures).toEqual(['EIO']);
    await expect(submitted).rejects.toThrow('EIO');
    await expect(host.submit({ kind: 'tick' })).rejects.toThrow('EIO');
    expect(host.sink('test').offer([changed()])).toBe(false);
  });
});
