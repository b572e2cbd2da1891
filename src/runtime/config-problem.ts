// Owns: how a mistake in a file is told: `inventory.yaml:12:7: targets.gw-a.platform: "cisco-iso" is not one of …`.
import { OperatorError } from '../model/errors.ts';

export type Path = readonly (string | number)[];

/** Something wrong at a place, and what to do. `path` is empty where the whole file is meant. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: Path;
  readonly cause: string;
  readonly remedy: string;
}

const problemsToldMax = 50;

/** With its remedy. */
export const problemText = (problem: Problem): string => `${sentence(problem)}. ${problem.remedy}`;

function sentence({ file, line, column, path, cause }: Problem): string {
  return `${file}:${line}:${column}: ${path.length === 0 ? '' : `${pathText(path)}: `}${cause}`;
}

/** `targets.gw-a.members[1]`, as people write it. */
export function pathText(path: Path): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

/** One error for all that is wrong; the problems, in the order of the files, are its `cause`. */
export function problemsError(problems: readonly Problem[]): OperatorError {
  const [first] = problems;
  if (first && problems.length === 1) {
    return new OperatorError(sentence(first), { code: 'configuration', remedy: first.remedy, cause: problems });
  }
  const told = problems.slice(0, problemsToldMax).map(problemText);
  const more =
    problems.length > told.length
      ? `That makes ${problems.length} problems, ${told.length} told`
      : `That makes ${problems.length} problems`;
  return new OperatorError([...told, more].join('\n'), {
    code: 'configuration',
    remedy: 'Correct them and try again.',
    cause: problems,
  });
}

/** What was probably meant: the candidate with the fewest letters changed, if they are few for its length. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(Math.min(written.length, 64) / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - written.length) >= least) continue;
    const changes = distance(written.toLowerCase(), candidate.toLowerCase());
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

/** Letters inserted, removed, replaced or swapped with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (same ? 0 : 1),
        swapped ? before[j - 2]! + 1 : Number.MAX_VALUE,
      );
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
