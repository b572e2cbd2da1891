// Owns: painting the story for the terminal: one line a step, with when it was and the entry's number for `offbox explain`.
import colors from 'picocolors';
import type { Entry } from '../model/entry.ts';
import { type Deriver, narrator, type Phrase } from '../runtime/narrate.ts';
import { realWall as wall } from '../runtime/wall.ts';
import { folded, terminalColumns, visible } from './terminal.ts';

type Paint = (text: string) => string;

const looks: Readonly<Record<string, readonly [mark: string, paint: Paint]>> = {
  event: ['●', colors.cyan],
  means: [' ', colors.cyan],
  heard: ['·', colors.dim],
  gap: ['○', colors.dim],
  asks: ['?', colors.magenta],
  wants: ['→', colors.magenta],
  read: ['←', colors.dim],
  apply: ['▸', colors.blue],
  done: ['✔', colors.green],
  already: ['✔', colors.green],
  held: ['…', colors.yellow],
  // No emoji: it is two columns wide.
  rejected: ['◦', colors.yellow],
  refused: ['✖', colors.red],
  failed: ['✖', colors.red],
  unknown: ['✖', colors.red],
  stopped: ['✖', colors.red],
  notice: ['!', colors.yellow],
};
const plain: readonly [string, Paint] = ['–', colors.dim];

/** A line that the next one may make part of itself waits for it no longer than this. */
const patienceMs = 250;
/** What took less is not worth a word. */
const slowMs = 1_000;
/** The column of names grows with the names it has seen, up to here. */
const whoWidthMax = 20;

/** `#123456` and more push the rest of their line to the right. */
export const numberWidth = 5;

interface Line extends Phrase {
  readonly seq: number;
}

/** Prints each entry's phrases as lines without line ends; `time` says when, in a column of its own. */
export function teller(write: (line: string) => void, time: (at: number) => string): (entry: Entry, engine: Deriver) => void {
  const narrate = narrator();
  let held: Line | undefined;
  let whoWidth = 6;
  let callOff = (): void => undefined;
  const flush = (): void => {
    callOff();
    if (held) write(lineOf(held, time(held.at), whoWidth));
    held = undefined;
  };
  const tell = (line: Line): void => {
    if (aboutTargets(line)) whoWidth = Math.min(whoWidthMax, Math.max(whoWidth, line.who.length));
    const together = held && joined(held, line);
    if (!together) flush();
    callOff();
    held = together ?? line;
    if (held.what === 'asks' || held.what === 'wants') callOff = wall.after(patienceMs, flush);
    else flush();
  };
  return (entry, engine) => {
    for (const phrase of narrate(entry, engine)) tell({ ...phrase, seq: entry.seq });
  };
}

/** Two targets asked the same are one line; and what is wanted and is already so, is said once. */
function joined(first: Line, second: Line): Line | undefined {
  if (first.what === 'asks' && second.what === 'asks' && first.text === second.text && first.at === second.at)
    return { ...first, who: `${first.who}, ${second.who}` };
  const proved = first.what === 'wants' && second.what === 'already' && first.who === second.who;
  return proved && first.text.startsWith(`${second.text}, says `) ? second : undefined;
}

/** The others speak of a policy or a source. */
const aboutTargets = ({ what }: Phrase): boolean =>
  what !== 'notice' && what !== 'report' && what !== 'stopped' && what !== 'gap';

/** Seconds since the first time it is asked. */
export function sinceFirst(): (at: number) => string {
  let first: number | undefined;
  return (at) => {
    first ??= at;
    return `${((at - first) / 1000).toFixed(3).padStart(7)} s`;
  };
}

function lineOf({ what, who, text, tookMs, seq }: Line, time: string, whoWidth: number): string {
  const [mark, paint] = looks[what] ?? plain;
  const name = visible(who).padEnd(whoWidth);
  const spentMs = Object.values(tookMs ?? {}).reduce((sum, ms) => sum + ms, 0);
  const took = spentMs < slowMs ? '' : ` (${(spentMs / 1000).toFixed(1)} s)`;
  const number = `#${seq}`.padStart(numberWidth);
  const margin = time.length + number.length + name.length + '    already   '.length + 1;
  const said = folded(visible(text) + took, margin, terminalColumns());
  const quiet = what === 'heard';
  return `${colors.dim(`${time} ${number}`)}  ${paint(`${mark} ${what.padEnd(8)}`)} ${quiet ? colors.dim(name) : colors.bold(name)} ${quiet ? colors.dim(said) : said}`;
}
