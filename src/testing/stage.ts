// Owns: playing stories in a thread of their own, which has what the thread of policies has and no more. A policy that does not come back
// ends it: its story fails in words, and the next one gets another thread.
import type { Policy } from '../core/policy.ts';
import { OperatorError } from '../model/errors.ts';
import type { Wall } from '../ports/wall.ts';
import type { BundledPolicy } from '../runtime/apart/messages.ts';
import { type ThreadEnd, WatchedThread } from '../runtime/apart/watched-thread.ts';
import type { Finding } from '../runtime/check-policies.ts';
import type { StoryOptions, StoryResult } from './story.ts';

/** What of a policy is known where it does not run; or what is wrong with it. */
export type Evaluated = Pick<Policy, 'name' | 'horizonMs'> | string;

export interface Played {
  readonly result: StoryResult;
  /** Why policies of it cannot hear what they listen to, with this inventory. */
  readonly findings: readonly Finding[];
}

/** `policies`: their places among those that were loaded. */
export interface PlayOrder extends Omit<StoryOptions, 'policies'> {
  readonly kind: 'play';
  readonly policies: readonly number[];
}

export type StageOrder = { readonly kind: 'load'; readonly policies: readonly BundledPolicy[] } | PlayOrder;

export type StageReport =
  | { readonly kind: 'loaded'; readonly policies: readonly Evaluated[] }
  /** A line of the story begins. */
  | { readonly kind: 'at'; readonly line: number }
  | { readonly kind: 'played'; readonly played: Played }
  | { readonly kind: 'broken'; readonly reason: string };

type Answer = Exclude<StageReport, { readonly kind: 'at' }> | { readonly kind: 'ended'; readonly end: ThreadEnd };

export interface StageOptions {
  readonly wall: Wall;
  /** The thread's file. */
  readonly file: URL;
}

export class Stage {
  readonly #options: StageOptions;
  #thread: WatchedThread<StageOrder, StageReport> | undefined;
  #answer: (answer: Answer) => void = () => undefined;
  #line = 0;
  /** Those that can be evaluated, by what they were given under: in the thread their place is the same. */
  #bundles: ReadonlyMap<string, BundledPolicy> = new Map();
  #names: readonly string[] = [];

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** Evaluates policies, under names of the caller's. */
  async load(bundles: ReadonlyMap<string, BundledPolicy>): Promise<ReadonlyMap<string, Evaluated>> {
    const faults = new Map<string, string>();
    for (;;) {
      this.#bundles = new Map([...bundles].filter(([key]) => !faults.has(key)));
      const keys = [...this.#bundles.keys()];
      const answer = await this.#load();
      if (answer.kind === 'loaded') return new Map([...faults, ...keys.map((key, at) => [key, answer.policies[at]!] as const)]);
      const { end } = answer;
      const hung = end.call && keys[end.call.policy];
      if (hung === undefined) throw died(end);
      faults.set(hung, `${bundles.get(hung)!.file}: ${end.reason}`);
    }
  }

  /** `policies`: of those that were loaded. Resolves with words where the story cannot be played to its end. */
  async play({
    policies,
    ...story
  }: Omit<PlayOrder, 'kind' | 'policies'> & { readonly policies: readonly string[] }): Promise<Played | string> {
    if (!this.#thread) {
      const again = await this.#load();
      if (again.kind === 'ended') throw died(again.end);
    }
    const keys = [...this.#bundles.keys()];
    const places = policies.map((key) => keys.indexOf(key));
    this.#line = 0;
    const answer = await this.#ask({ kind: 'play', ...story, policies: places });
    if (answer.kind === 'played') return answer.played;
    if (answer.kind === 'broken') return answer.reason;
    if (answer.kind !== 'ended') throw new RangeError(`a story was asked for, and ${answer.kind} is the answer`);
    const { call, reason } = answer.end;
    const stimulus = story.text.split(/\r?\n/)[this.#line - 1]?.trim();
    const who = call ? `the policy ${this.#names[places[call.policy]!]}: ` : '';
    return `${story.where}:${this.#line}: "${stimulus}": ${who}${reason}`;
  }

  async end(): Promise<void> {
    await this.#thread?.end();
  }

  async #load(): Promise<Extract<Answer, { readonly kind: 'loaded' | 'ended' }>> {
    this.#thread ??= new WatchedThread<StageOrder, StageReport>({
      ...this.#options,
      name: 'stories',
      data: {},
      onReport: (report) => {
        if (report.kind === 'at') this.#line = report.line;
        else this.#answer(report);
      },
      onEnd: (end) => {
        this.#thread = undefined;
        this.#answer({ kind: 'ended', end });
      },
    });
    const answer = await this.#ask({ kind: 'load', policies: [...this.#bundles.values()] });
    if (answer.kind === 'loaded') this.#names = answer.policies.map((policy) => (typeof policy === 'string' ? '' : policy.name));
    if (answer.kind === 'loaded' || answer.kind === 'ended') return answer;
    throw new RangeError(`policies were to be loaded, and ${answer.kind} is the answer`);
  }

  /** One after another. */
  #ask(order: StageOrder): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answer = resolve;
    this.#thread!.order(order, true);
    return promise.finally(() => this.#thread?.answered());
  }
}

function died({ reason }: ThreadEnd): OperatorError {
  return new OperatorError(`stories cannot be played: ${reason}`, {
    code: 'story-thread',
    remedy: 'Try it again, with fewer stories if memory is what is missing.',
  });
}
