// Owns: the form of a story: text that a network engineer can review.
//
//   # What the story is about.
//   gw-a is active
//   start
//   ----
//   +0.010 gw-a  read  Vlan10 group 10 active
//
// Blocks of stimulus lines, `----`, what happened, a blank line. What happened is rewritten on request.
import { OperatorError } from '../model/errors.ts';

export interface Block {
  /** Line number of each stimulus, from 1. */
  readonly lines: readonly number[];
  readonly comments: readonly string[];
  readonly stimuli: readonly string[];
  readonly expected: readonly string[];
}

/** Reads a transcript into blocks. `where` names it in errors. */
export function readTranscript(where: string, text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r?\n/);
  let at = 0;
  while (at < lines.length) {
    const first = at;
    const end = lines.findIndex((line, index) => index >= at && line.trim() === '');
    const stop = end === -1 ? lines.length : end;
    const block = lines.slice(at, stop);
    at = stop + 1;
    if (block.length === 0) continue;
    const rule = block.indexOf('----');
    const head = rule === -1 ? block : block.slice(0, rule);
    const numbered = [...head.entries()].filter(([, line]) => !line.startsWith('#'));
    const stimuli = numbered.map(([, line]) => line.trim());
    if (stimuli.length > 0 && rule === -1) {
      const remedy = 'Write ---- below the stimulus lines, and let `offbox test --rewrite` fill in what happened.';
      throw new OperatorError(`${where}:${first + 1}: a block without ----`, { code: 'transcript', remedy });
    }
    blocks.push({
      lines: numbered.map(([index]) => first + 1 + index),
      comments: head.filter((line) => line.startsWith('#')),
      stimuli,
      expected: rule === -1 ? [] : block.slice(rule + 1),
    });
  }
  return blocks;
}

/** The transcript again, with what happened. */
export function writeTranscript(blocks: readonly Block[], happened: readonly (readonly string[])[]): string {
  return `${blocks
    .map(({ comments, stimuli }, index) =>
      [...comments, ...stimuli, ...(stimuli.length > 0 ? ['----', ...(happened[index] ?? [])] : [])].join('\n'),
    )
    .join('\n\n')}\n`;
}

const together = /^with ([a-z0-9-]+)$/;

/** The policies that a story plays beside its own: its lines `with NAME`. */
export function policiesBeside(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => together.exec(line.trim())?.[1] ?? []);
}
