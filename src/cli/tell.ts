// Owns: painting the story for the terminal: one line a step, with the time since the start.
import colors from 'picocolors';
import type { Entry } from '../model/entry.ts';
import { type Deriver, narrator, type Phrase } from '../runtime/narrate.ts';

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
  rejected: ['✋', colors.yellow],
  refused: ['✖', colors.red],
  failed: ['✖', colors.red],
  unknown: ['✖', colors.red],
  stopped: ['✖', colors.red],
  notice: ['!', colors.yellow],
};
const plain: readonly [string, Paint] = ['–', colors.dim];

/** Prints each entry's phrases as lines without line ends; `time` says when, in a column of its own. */
export function teller(write: (line: string) => void, time: (at: number) => string): (entry: Entry, engine: Deriver) => void {
  const narrate = narrator();
  return (entry, engine) => {
    for (const phrase of narrate(entry, engine)) write(lineOf(phrase, time(phrase.at)));
  };
}

/** Seconds since the first time it is asked. */
export function sinceFirst(): (at: number) => string {
  let first: number | undefined;
  return (at) => {
    first ??= at;
    return `${((at - first) / 1000).toFixed(3).padStart(8)} s`;
  };
}

function lineOf({ what, who, text, tookMs }: Phrase, time: string): string {
  const [mark, paint] = looks[what] ?? plain;
  const took = Object.entries(tookMs ?? {}).map(([part, ms]) => `${part} ${Math.round(ms)} ms`);
  return `${colors.dim(time)}  ${paint(`${mark} ${what.padEnd(8)}`)} ${(what === 'heard' ? colors.dim : colors.bold)(who.padEnd(6))} ${what === 'heard' ? colors.dim(text) : text}${took.length > 0 ? colors.dim(` (${took.join(', ')})`) : ''}`;
}
