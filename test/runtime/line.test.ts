import { describe, expect, it } from 'vitest';
import { OperatorError, TargetError } from '../../src/model/errors.ts';
import type { Target } from '../../src/model/target.ts';
import type { Actuator, Command, Reply, Session } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import { Line } from '../../src/runtime/line.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const target = { platform: 'frr', address: '192.0.2.1', cli: { user: 'offbox', hostKey: 'SHA256:x' } } as unknown as Target;
const gone = () => new TargetError('the session is gone', { code: 'connection-lost', retry: true, remedy: 'Look.' });

/** An actuator whose sessions do what the test says. */
class Script implements Actuator {
  readonly transport = 'cli';
  readonly said: string[] = [];
  opens = 0;
  reachable = true;
  fault: () => Error = gone;
  answer: (line: string) => Promise<string> = async (line) => `answer to ${line}`;
  hangUp = (): void => undefined;

  async open(): Promise<Session> {
    this.opens += 1;
    if (!this.reachable) throw this.fault();
    const closed = Promise.withResolvers<void>();
    this.hangUp = () => closed.resolve();
    const run = async (command: Command): Promise<Reply> => {
      const line = command.kind === 'cli' ? command.line : command.kind;
      this.said.push(line);
      return { text: await this.answer(line) };
    };
    return { run, close: async () => closed.resolve(), closed: closed.promise };
  }
}

function* ask(line: string): Dialogue<string> {
  return (yield { kind: 'cli', line }).text;
}

function lineOn(script: Script): { readonly line: Line; readonly wall: VirtualWall; readonly back: string[] } {
  const wall = new VirtualWall(0);
  const back: string[] = [];
  const line = new Line({ name: 'r1', target, actuators: [script], wall, onBack: (name) => void back.push(name) });
  return { line, wall, back };
}

/** What a promise comes to, while time passes. */
async function passing<T>(wall: VirtualWall, ms: number, promise: Promise<T>): Promise<T | Error> {
  const settled = promise.catch((thrown: unknown) => thrown as Error);
  await wall.advance(ms);
  return settled;
}

describe('the line to a target', () => {
  it('opens one session and holds dialogues over it one at a time', async () => {
    const script = new Script();
    const { line, wall } = lineOn(script);
    const both = Promise.all([line.read(() => ask('one'), 1_000), line.read(() => ask('two'), 1_000)]);
    expect(await passing(wall, 0, both)).toEqual(['answer to one', 'answer to two']);
    expect(script.opens).toBe(1);
  });

  it('says what to do where the operator has to, and not where it is tried again anyway', async () => {
    const script = new Script();
    script.reachable = false;
    const { line, wall } = lineOn(script);
    await passing(wall, 0, line.open());
    expect(line.status().reason).toBe('the session is gone');
    script.fault = () => new OperatorError('variable "KEY" is not set', { code: 'secret', remedy: 'Set it.' });
    await wall.advance(1_000);
    expect(line.status().reason).toBe('variable "KEY" is not set. Set it');
  });

  it('tells at once that a target is down, and tries to open it again behind the scenes', async () => {
    const script = new Script();
    script.reachable = false;
    const { line, wall, back } = lineOn(script);
    await passing(wall, 0, line.open());
    expect(line.status().state).toBe('down');
    const opens = script.opens;
    expect(
      await passing(
        wall,
        0,
        line.read(() => ask('x'), 1_000),
      ),
    ).toMatchObject({ code: 'unreachable' });
    expect(script.opens).toBe(opens);
    script.reachable = true;
    await wall.advance(1_000);
    expect(line.status().state).toBe('up');
    expect(back).toEqual(['r1']);
  });

  it('tries a reading once more where the session turned out to be gone', async () => {
    const script = new Script();
    const { line, wall } = lineOn(script);
    let fail = true;
    script.answer = async (text) => {
      if (!fail) return text;
      fail = false;
      script.hangUp();
      throw gone();
    };
    expect(
      await passing(
        wall,
        100,
        line.read(() => ask('show'), 1_000),
      ),
    ).toBe('show');
    expect(script.said).toEqual(['show', 'show']);
  });

  it('never says what changes something twice', async () => {
    const script = new Script();
    const { line, wall } = lineOn(script);
    script.answer = async () => {
      script.hangUp();
      throw gone();
    };
    const result = await passing(
      wall,
      10_000,
      line.write([{ kind: 'cli', line: 'write memory' }], 1_000, wall.monotonic() + 1_000, () => undefined),
    );
    expect(result).toBeInstanceOf(TargetError);
    expect(script.said).toEqual(['write memory']);
  });

  it('sends nothing that changes when less than half of its time is left, and says so', async () => {
    const script = new Script();
    const { line, wall } = lineOn(script);
    const write = (until: number) => line.write([{ kind: 'cli', line: 'write memory' }], 1_000, until, () => undefined);
    expect(await passing(wall, 10, write(wall.monotonic() + 499))).toBe(false);
    expect(script.said).toEqual([]);
    expect(await passing(wall, 10, write(wall.monotonic() + 500))).toBe(true);
    expect(script.said).toEqual(['write memory']);
  });

  it('gives up a dialogue at its deadline, and does not begin it again after', async () => {
    const script = new Script();
    const { line, wall } = lineOn(script);
    const signals: AbortSignal[] = [];
    const open = script.open.bind(script);
    script.open = async () => {
      const session = await open();
      return {
        ...session,
        run: (_command, signal) => {
          signals.push(signal);
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        },
      };
    };
    expect(
      await passing(
        wall,
        60_000,
        line.read(() => ask('slow'), 1_000),
      ),
    ).toMatchObject({ code: 'no-answer' });
    expect(signals).toHaveLength(1);
  });

  it('names what the inventory lacks', async () => {
    const { line, wall } = lineOn(new Script());
    const netconf = function* (): Dialogue<string> {
      return (yield { kind: 'get', filter: '<x/>' }).text;
    };
    expect(await passing(wall, 0, line.read(netconf, 1_000))).toMatchObject({
      code: 'no-access',
      message: expect.stringContaining('targets.r1.netconf'),
    });
  });

  it('opens nothing any more once it is closed', async () => {
    const script = new Script();
    const { line, wall, back } = lineOn(script);
    await passing(wall, 0, line.open());
    await line.close();
    await wall.advance(60_000);
    expect(script.opens).toBe(1);
    expect(back).toEqual([]);
  });
});
