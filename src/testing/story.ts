// Owns: playing a story: the real host, engine, executor and recovery over a journal in memory, a scripted network, and
// virtual time. A `restart` in a story is a real one: the process's memory is gone, the journal is not.
import { memoryJournal } from '../../adapters/journal-memory/index.ts';
import { syslogMeaning } from '../../adapters/platforms/syslog-meanings.ts';
import { parseSyslog } from '../../adapters/source-syslog/wire.ts';
import type { DeployedPolicy } from '../core/policy.ts';
import type { CallWatch } from '../core/slot.ts';
import type { Entry } from '../model/entry.ts';
import { OperatorError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { hsrpStateSchema, type Meaning } from '../model/meaning.ts';
import type { Inventory } from '../model/target.ts';
import { durationMs, secondsText } from '../model/time.ts';
import type { Journal } from '../ports/journal.ts';
import { narrator, type Phrase } from '../runtime/narrate.ts';
import { Runtime } from '../runtime/runtime.ts';
import { vrrpStateOf } from './gateways.ts';
import { storyPlatforms } from './platform.ts';
import { type Block, readTranscript, writeTranscript } from './transcript.ts';
import { nearestForms, verbs } from './verbs.ts';
import { VirtualWall } from './virtual-wall.ts';
import { World } from './world.ts';

export interface StoryOptions {
  /** Named in errors: the file. */
  readonly where: string;
  readonly text: string;
  readonly policies: readonly DeployedPolicy[];
  readonly inventory: Inventory;
}

/** Whoever looks on while a story is played. */
export interface StoryWatch {
  /** A line of the story begins. */
  readonly onLine?: (line: number) => void;
  /** Told of each call of a policy. */
  readonly calls?: CallWatch;
}

export interface StoryResult {
  /** The transcript as it should be, with what happened. */
  readonly text: string;
  readonly passed: boolean;
  /** The first line that differs: what the transcript says and what happened. */
  readonly difference?: { readonly line: number; readonly expected: string; readonly happened: string };
  /** Policies that were stopped, and why. */
  readonly stopped: readonly { readonly policy: string; readonly reason: string }[];
}

/** Every story begins at the same time of the same day. */
const storyBegins = 1_767_225_600_000;

export async function playStory(options: StoryOptions, watch: StoryWatch = {}): Promise<StoryResult> {
  const blocks = readTranscript(options.where, options.text);
  const story = new Story(options, watch);
  const happened: (readonly string[])[] = [];
  for (const block of blocks) happened.push(block.stimuli.length > 0 ? await story.play(block) : []);
  await story.end();
  const text = writeTranscript(blocks, happened);
  const difference = firstDifference(options.text, text);
  return { text, passed: !difference, stopped: story.stopped, ...(difference ? { difference } : {}) };
}

function firstDifference(expected: string, happened: string): StoryResult['difference'] {
  const [before, after] = [expected.trimEnd().split(/\r?\n/), happened.trimEnd().split('\n')];
  for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
    if (before[index]?.trimEnd() !== after[index]?.trimEnd())
      return { line: index + 1, expected: before[index] ?? '(nothing)', happened: after[index] ?? '(nothing)' };
  }
  return undefined;
}

export class Story {
  readonly #options: StoryOptions;
  readonly #watch: StoryWatch;
  readonly stopped: StoryResult['stopped'][number][] = [];
  readonly #wall = new VirtualWall(storyBegins);
  readonly #journal: Journal = memoryJournal();
  readonly world: World;
  #runtime: Runtime | undefined;
  #epoch = 0;
  #happened: string[] = [];
  #shown: ReadonlySet<string> | undefined;
  #before: ReadonlyMap<string, string>;
  /** Hypervisors that are not heard, and since when. */
  readonly #deaf = new Map<string, number>();

  constructor(options: StoryOptions, watch: StoryWatch) {
    this.#options = options;
    this.#watch = watch;
    this.world = new World(options.inventory, this.#wall, {
      says: (host, meaning, raw) => this.#hear(host, [{ meaning, raw }]),
      stream: (host, is) => this.stream(host, is),
      changed: () => this.#tellNetwork(),
    });
    this.#before = this.world.topics();
  }

  async play({ stimuli, lines }: Block): Promise<readonly string[]> {
    for (const [index, stimulus] of stimuli.entries()) {
      const line = lines[index]!;
      this.#watch.onLine?.(line);
      await this.#act(stimulus, line);
    }
    const happened = this.#happened;
    this.#happened = [];
    return happened;
  }

  async end(): Promise<void> {
    this.#die();
  }

  async start(): Promise<void> {
    const { inventory, policies } = this.#options;
    const narrate = narrator();
    this.#epoch += 1;
    const runtime: Runtime = new Runtime({
      wall: this.#wall,
      // The dead process's pending appends must not reach the journal of the next one.
      journal: guarded(this.#journal, () => this.#runtime === runtime),
      lease: { epoch: this.#epoch, release: async () => undefined },
      inventory,
      policies,
      platforms: storyPlatforms,
      actuators: this.world.actuators,
      sources: [],
      modes: { default: 'enforce', policies: {}, targets: {} },
      calls: this.#watch.calls,
      watch: {
        onEntry: (entry: Entry, engine) => {
          if (entry.kind === 'quarantine') this.stopped.push({ policy: entry.policy, reason: entry.reason });
          this.#tell(narrate(entry, engine));
        },
      },
    });
    this.#runtime = runtime;
    const started = runtime.start();
    await this.#wall.advance(0);
    await started;
    for (const host of this.world.hypervisors.names())
      if (!this.#deaf.has(host)) this.#hear(host, this.world.hypervisors.listing(host));
    await this.#wall.advance(0);
  }

  /** The stream of a hypervisor's events ends, or is there again: then it is listed first. */
  stream(host: string, is: 'lost' | 'back'): void {
    const sink = this.#runtime?.host.sink('libvirt');
    const since = this.#deaf.get(host);
    if (is === 'lost') {
      this.#deaf.set(host, this.#wall.now());
      sink?.gap(`${host} is out of sight`, [host]);
    } else if (since !== undefined) {
      this.#deaf.delete(host);
      sink?.gap(`${host} was away for ${secondsText(this.#wall.now() - since)}`, [host]);
      this.#hear(host, this.world.hypervisors.listing(host), 'resync');
    }
  }

  /** An orchestrator's word, as the intake of requests puts it in. */
  async orchestrator(meaning: Meaning, raw: string): Promise<void> {
    const origin = { source: 'http', peer: '192.0.2.9', transport: 'http', trust: 'authenticated', raw } as const;
    await this.#offer({ meaning, origin });
  }

  #hear(host: string, said: readonly { readonly meaning: Meaning | null; readonly raw: string }[], because?: 'resync'): void {
    if (this.#deaf.has(host)) return;
    const peer = this.#address(host);
    this.#runtime?.host.sink('libvirt').offer(
      said.map(({ meaning, raw }) => {
        const origin = { source: 'libvirt', peer, transport: 'tls', trust: 'authenticated', raw } as const;
        return { target: host, meaning, ...(because ? { because } : {}), origin };
      }),
    );
  }

  /** Killed, not stopped: what was not journaled is gone. */
  async restart(span: string): Promise<void> {
    this.#die();
    await this.#wall.advance(durationMs(span));
    await this.start();
  }

  async wait(span: string): Promise<void> {
    const step = 100;
    const until = this.#wall.monotonic() + durationMs(span);
    while (this.#wall.monotonic() < until) {
      await this.#wall.advance(Math.min(step, until - this.#wall.monotonic()));
      this.#tellNetwork();
    }
  }

  /** The VLANs of guests on a hypervisor's port. */
  vlansOf(host: string): readonly number[] {
    return this.#options.inventory.attachments?.find(({ hypervisor }) => hypervisor === host)?.vlans ?? [];
  }

  show(words: string): void {
    this.#shown = words === 'everything' ? undefined : new Set(words.split(/[\s,]+/));
  }

  async syslog(target: string, text: string): Promise<void> {
    const raw = /^<\d/.test(text) ? text : `<189>${target}: ${text}`;
    const { fields } = parseSyslog(raw);
    const meaning = syslogMeaning(fields, this.#options.inventory.targets[target]?.platform);
    const origin = { source: 'syslog', peer: this.#address(target), transport: 'udp', trust: 'claimed', raw } as const;
    await this.#offer({ meaning, syslog: fields, origin });
  }

  async trap(target: string, state: string, name: string, group: number): Promise<void> {
    const hsrp = hsrpStateSchema.safeParse(state);
    const meaning: Meaning = hsrp.success
      ? { kind: 'hsrp.state-changed', interface: name, group, to: hsrp.data }
      : { kind: 'vrrp.state-changed', interface: name, group, to: vrrpStateOf(state) };
    const snmp = hsrp.success
      ? { oid: '1.3.6.1.4.1.9.9.106.2.0.1', name: 'cHsrpStateChange' }
      : { oid: '1.3.6.1.2.1.207.0.1', name: 'vrrpv3NewMaster' };
    const origin = { source: 'snmp', peer: this.#address(target), transport: 'udp', trust: 'claimed', raw: '' } as const;
    await this.#offer({ meaning, snmp: { version: 'v2c', pdu: 'trap', ...snmp, varbinds: [] }, origin });
  }

  /** The active role goes to and fro, each change heard from both. */
  async flap(pair: readonly [string, string], everyMs: number, forMs: number): Promise<void> {
    for (let passedMs = 0, turns = 1; passedMs < forMs; passedMs += everyMs, turns += 1) {
      for (const [index, target] of pair.entries()) {
        const active = (turns + index) % 2 === 0;
        this.world.gateways.setState(target, active ? 'active' : 'standby');
        await this.syslog(target, `%HSRP-5-STATECHANGE: Vlan10 Grp 10 state ${active ? 'Standby -> Active' : 'Active -> Speak'}`);
      }
      await this.wait(`${everyMs}ms`);
    }
  }

  async #act(stimulus: string, line: number): Promise<void> {
    for (const { form, act } of verbs) {
      const match = form.exec(stimulus);
      if (!match) continue;
      try {
        await act(this, ...match.slice(1));
      } catch (thrown) {
        throw new OperatorError(`${this.#options.where}:${line}: "${stimulus}": ${(thrown as Error).message}`, {
          code: 'story',
          remedy: 'Mend the story.',
          cause: thrown,
        });
      }
      this.#tellNetwork();
      return;
    }
    throw new OperatorError(`${this.#options.where}:${line}: "${stimulus}" is nothing a story knows`, {
      code: 'story',
      remedy: `The nearest are:\n${nearestForms(stimulus)
        .map((form) => `  ${form}`)
        .join('\n')}\nEvery line there is: docs/stories.md, in the folder of Offbox.`,
    });
  }

  async #offer(event: Event): Promise<void> {
    this.#runtime?.host.sink(event.origin.source).offer([event]);
    await this.#wall.advance(0);
  }

  #address(target: string): string {
    return this.#options.inventory.targets[target]?.address ?? target;
  }

  #die(): void {
    this.#runtime = undefined;
    this.#wall.clear();
  }

  #tell(phrases: readonly Phrase[]): void {
    for (const { at, what, who, text } of phrases) {
      // What a listing says that nobody listens to is what stands above anyhow.
      if (what === 'heard' && text.startsWith('listed ')) continue;
      if (!this.#shown || this.#shown.has(what))
        this.#happened.push(`${this.#time(at)} ${what.padEnd(8)} ${who.padEnd(6)} ${text}`.trimEnd());
    }
  }

  /** Who advertises what, which port has which address, policy-map and violation mode, where the guests are: told when it changes. */
  #tellNetwork(): void {
    const [now, before] = [this.world.topics(), this.#before];
    this.#before = now;
    for (const topic of new Set([...before.keys(), ...now.keys()])) {
      const text = now.get(topic);
      // What a port is from the beginning is not worth a word.
      if (text === before.get(topic) || (!before.has(topic) && isUsual(text!))) continue;
      this.#happened.push(`${this.#time(this.#wall.now())} NETWORK  ${text ?? `${topic} is sticky nowhere`}`);
    }
  }

  #time(at: number): string {
    return `+${((at - storyBegins) / 1000).toFixed(3)}`.padStart(9);
  }
}

const isUsual = (text: string): boolean => / (has no policy-map|violation restrict|is up)$/.test(text);

function guarded(journal: Journal, alive: () => boolean): Journal {
  return { ...journal, append: (batch, expect) => (alive() ? journal.append(batch, expect) : new Promise(() => undefined)) };
}
