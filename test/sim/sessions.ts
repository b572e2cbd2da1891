// Owns: the sessions with simulated devices: an actuator whose answers are late, cut at any byte, garbage or lies, and whose
// sessions end at any command, before the device took it, in the middle, or after.
import { TargetError } from '../../src/model/errors.ts';
import type { FhrpRow } from '../../src/model/query.ts';
import type { Actuator, Command, Reply, Session, Transport } from '../../src/ports/actuator.ts';
import { commandLines } from '../../src/runtime/evidence.ts';
import type { Prng } from '../../src/testing/prng.ts';
import type { SimClock } from './clock.ts';
import type { Device } from './device.ts';
import type { Migrations } from './migrations.ts';
import type { SimProcess } from './process.ts';
import type { Weather } from './weather.ts';

export interface SessionsOptions {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly weather: () => Weather;
  readonly devices: ReadonlyMap<string, Device>;
  readonly trace: (text: string) => void;
  readonly crash: (process: SimProcess, where: string) => void;
  /** Where guests migrate. */
  readonly migrations: Migrations | undefined;
}

/** A line that a device takes, and what it does. */
interface Deed {
  readonly line: string;
  readonly does: () => void;
}

/** A healthy device answers in this. */
const answerMs = 10;
/** What a device got it has taken within this, or never. */
export const takesWithinMs = 4_000;

const never = <T>(): Promise<T> => new Promise(() => undefined);

function gone(name: string, how: string): TargetError {
  return new TargetError(`${name}: ${how}`, { code: 'connection-lost', retry: true, remedy: 'Look at the way to it.' });
}

function rejectsOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The ways that one process has to the devices. */
export function sessionsOf(process: SimProcess, options: SessionsOptions): readonly Actuator[] {
  return [actuatorOf('cli', process, options), actuatorOf('libvirt', process, options)];
}

function actuatorOf(transport: Transport, process: SimProcess, options: SessionsOptions): Actuator {
  const { clock, devices, prng } = options;
  return {
    transport,
    open: (name, _target, signal) =>
      process.answer(async () => {
        const device = devices.get(name)!;
        const late = prng.chance(options.weather().slowAnswer) ? prng.between(100, 9_000) : answerMs;
        await Promise.race([clock.base.sleep(late), rejectsOn(signal)]);
        if (!device.reachable) throw gone(name, 'no route to host');
        // Dead meanwhile: the device sees a connection reset.
        return process.alive ? new OpenSession(process, device, options).session : never();
      }),
  };
}

class OpenSession {
  readonly #process: SimProcess;
  readonly #device: Device;
  readonly #options: SessionsOptions;
  readonly #closed = Promise.withResolvers<void>();
  readonly #hangUp = (): void => {
    this.#device.hangUps.delete(this.#hangUp);
    this.#closed.resolve();
  };
  readonly session: Session;

  constructor(process: SimProcess, device: Device, options: SessionsOptions) {
    this.#process = process;
    this.#device = device;
    this.#options = options;
    device.hangUps.add(this.#hangUp);
    process.onDeath(this.#hangUp);
    this.session = {
      closed: process.answer(() => this.#closed.promise),
      close: async () => this.#hangUp(),
      run: (command, signal) => process.answer(() => this.#run(command, signal)),
    };
  }

  get #isOpen(): boolean {
    return this.#device.hangUps.has(this.#hangUp);
  }

  async #run(command: Command, signal: AbortSignal): Promise<Reply> {
    const { clock, prng, crash } = this.#options;
    const weather = this.#options.weather();
    if (prng.chance(weather.crashAtCommand)) {
      crash(this.#process, `before it sent ${textOf(command)}`);
      return never();
    }
    if (!this.#isOpen) throw gone(this.#device.name, 'the session is over');
    const ends = Promise.race([rejectsOn(signal), this.#closed.promise.then(() => Promise.reject(this.#lost('cut')))]);
    ends.catch(() => undefined);
    const late = prng.chance(weather.slowAnswer) ? prng.between(100, 14_000) : answerMs;
    try {
      const reply = isChange(command) ? this.#change(this.#deeds(command), late) : this.#ask(command, late);
      return await Promise.race([reply, ends]);
    } catch (thrown) {
      // A session whose answer is not waited for any more is of no use.
      if (signal.aborted) this.#hangUp();
      throw thrown;
    } finally {
      if (prng.chance(weather.crashAtCommand)) crash(this.#process, `after ${textOf(command)} at ${clock.time}`);
    }
  }

  /** The device takes it at once or late; the answer may come later still, or never. */
  async #change(deeds: readonly Deed[], lateMs: number): Promise<Reply> {
    const { clock, prng } = this.#options;
    const weather = this.#options.weather();
    await clock.base.sleep(answerMs);
    if (!this.#device.reachable || !this.#isOpen) throw this.#lost('cut before the device took it');
    if (prng.chance(weather.refusal)) {
      this.#take(deeds.slice(0, prng.below(deeds.length)));
      throw new TargetError(`${this.#device.name} refused it: % Invalid input detected`, {
        code: 'refused',
        retry: false,
        remedy: 'Look at the device.',
      });
    }
    if (prng.chance(weather.lateCommand)) {
      clock.base.after(prng.between(50, takesWithinMs), () => this.#takeLate(deeds));
      throw this.#lost('cut, and the device takes it late');
    }
    if (prng.chance(weather.cutSession)) {
      this.#take(deeds.slice(0, prng.below(deeds.length + 1)));
      throw this.#lost('cut in the middle of a change');
    }
    this.#take(deeds);
    await clock.base.sleep(lateMs);
    return { text: '' };
  }

  #deeds(command: Command): readonly Deed[] {
    const { clock, migrations } = this.#options;
    const { epoch } = this.#process;
    const sent = clock.time;
    return commandLines(command).map((line) => ({
      line,
      does: () => {
        if (command.kind === 'configure') this.#device.take(clock.time, 'offbox', epoch, line, sent);
        else this.#device.note(clock.time, 'offbox', epoch, line, sent);
        if (command.kind === 'configure') migrations?.forgot(line);
        else migrations?.obey(this.#device.name, command);
      },
    }));
  }

  async #ask(command: Command, lateMs: number): Promise<Reply> {
    const { clock, prng } = this.#options;
    const weather = this.#options.weather();
    await clock.base.sleep(lateMs);
    if (!this.#device.reachable) return never();
    if (prng.chance(weather.cutSession)) throw this.#lost('cut in the middle of an answer');
    const line = textOf(command);
    const text =
      line === 'fhrp' ? this.#rows() : (this.#options.migrations?.answer(this.#device.name, command) ?? this.#place(line));
    if (!prng.chance(weather.garbage)) return { text };
    return { text: prng.chance(80) ? text.slice(0, prng.below(text.length)) : '% Ambiguous command' };
  }

  #take(deeds: readonly Deed[]): void {
    for (const { line, does } of deeds) {
      this.#options.trace(`${this.#device.name} takes "${line}" (epoch ${this.#process.epoch})`);
      does();
    }
  }

  /** Nobody hears of a refusal any more. */
  #takeLate(deeds: readonly Deed[]): void {
    try {
      this.#take(deeds);
    } catch (thrown) {
      if (!(thrown instanceof TargetError)) throw thrown;
    }
  }

  #rows(): string {
    const lies = this.#options.prng.chance(this.#options.weather().lie);
    const { role } = this.#device;
    const shown = lies ? (role === 'active' ? 'standby' : 'active') : role;
    const rows: FhrpRow[] = [{ interface: 'Vlan10', group: 10, family: 'ipv4', role: shown, state: shown }];
    return JSON.stringify(rows);
  }

  /** It lies of networks alone: what stands at a port is what a hold would put back. */
  #place(place: string): string {
    const value = this.#device.value(place);
    const lies = place.startsWith('bgp-network') && this.#options.prng.chance(this.#options.weather().lie);
    if (lies) this.#device.lies.push({ time: this.#options.clock.time, place });
    return JSON.stringify({ value: lies ? (value === null ? 'yes' : null) : value });
  }

  #lost(how: string): TargetError {
    this.#hangUp();
    return gone(this.#device.name, how);
  }
}

const isChange = ({ kind }: Command): boolean => kind === 'configure' || kind === 'migrate' || kind === 'abort-job';

function textOf(command: Command): string {
  return commandLines(command).join(' / ');
}
