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

/** Prints each entry's phrases as lines without line ends. */
export function teller(write: (line: string) => void): (entry: Entry, engine: Deriver) => void {
  const narrate = narrator();
  let startedAt: number | undefined;
  return (entry, engine) => {
    startedAt ??= entry.at;
    for (const phrase of narrate(entry, engine)) write(lineOf(phrase, phrase.at - startedAt));
  };
}

function lineOf({ what, who, text, tookMs }: Phrase, sinceMs: number): string {
  const [mark, paint] = looks[what] ?? plain;
  const took = Object.entries(tookMs ?? {}).map(([part, ms]) => `${part} ${Math.round(ms)} ms`);
  const time = colors.dim(`${(sinceMs / 1000).toFixed(3).padStart(8)} s`);
  return `${time}  ${paint(`${mark} ${what.padEnd(8)}`)} ${(what === 'heard' ? colors.dim : colors.bold)(who.padEnd(6))} ${what === 'heard' ? colors.dim(text) : text}${took.length > 0 ? colors.dim(` (${took.join(', ')})`) : ''}`;
}
