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
