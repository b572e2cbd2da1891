// Owns: what may reach the terminal, and how wide it is. Devices and whoever forges a datagram write the text that is
// shown here: their control characters must move no cursor, set no title and hide no line.

/** A column narrower than this is not folded: it would be all margin. */
export const narrowest = 30;

/** Control characters (C0, DEL, C1) and what turns the reading direction, as they are written: `\x1b`. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

/** Folds a text at its spaces so that it stands in a column of its own, `margin` from the left; elsewhere than on a terminal not at all. */
export function folded(text: string, margin: number, columns: number | undefined): string {
  if (columns === undefined || columns - margin < narrowest || margin + text.length <= columns) return text;
  return linesOf(text, columns - margin).join(`\n${' '.repeat(margin)}`);
}

/** A text in lines of this width, folded at its spaces; a longer word has a line of its own. */
export function linesOf(text: string, width: number): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** As many columns as the terminal has; undefined where standard output is none. */
export const terminalColumns = (): number | undefined => process.stdout.columns;
