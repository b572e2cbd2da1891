// Port: the wall clock and waiting. Runtime and adapters get it handed in, so that a story or a simulation can run
// them in virtual time. Only src/runtime/wall.ts makes the real one; Date, timers and `performance` are banned elsewhere.

export interface Wall {
  /** Milliseconds since 1970, a whole number. May jump: never used for spans. */
  now(): number;
  /** Milliseconds from any fixed point, rising, with fractions: for spans and deadlines. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
  /** Resolves after `ms`; rejects with the signal's reason when aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
