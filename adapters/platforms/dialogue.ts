// Owns: what every reader of show output shares: asking, and the two errors an answer can end in.
import { TargetError } from '../../src/model/errors.ts';
import type { Command, Reply } from '../../src/ports/actuator.ts';
import type { Dialogue, Looked } from '../../src/ports/platform.ts';

/** Asks one exec line; the answer as text. `exec prompt timestamp` puts load and clock before it: those are not the answer. */
export function* show(line: string): Generator<Command, string, Reply> {
  const { text } = yield { kind: 'cli', line };
  return text.replace(/^\s*Load for five secs: [^\n]*\n(?:(?:Time source is |No time source, )[^\n]*(?:\n|$))?/, '');
}

/** What is looked at before a change, and the rest: the whole reading of a resource that has both. */
export function* readWhole<S>(look: Dialogue<Looked<S>>): Dialogue<S> {
  const { rest } = yield* look;
  return yield* rest();
}

/** The answer is none we know: cut short, of another version, or nonsense. Never guess a state from it. */
export function unreadable(asked: string, line: string): TargetError {
  return new TargetError(
    `[platforms] the target answered "${asked}" with what Offbox cannot read: "${line.trim().slice(0, 160)}"`,
    {
      code: 'unreadable',
      retry: false,
      remedy: 'Check the platform of the target; `offbox decode show` tells how an output is read.',
    },
  );
}

/** The answer is clear and the answer is no. */
export function refusal(code: string, sentence: string, remedy: string): TargetError {
  return new TargetError(`[platforms] ${sentence}`, { code, retry: false, remedy });
}

/** What the question is about, where it makes no sense without. */
export function aboutOf({ about }: { readonly about: string | undefined }, what: string): string {
  if (about !== undefined && about !== '') return about;
  throw refusal('nothing-named', `the question names no ${what}`, `Say which ${what} it is about.`);
}

/** Lines with something on them, without trailing spaces. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}
