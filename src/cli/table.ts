// Owns: tables on the terminal: as wide as their words, headed in bold; where that is too wide for the terminal, the widest
// columns are folded.
import colors from 'picocolors';
import { linesOf, narrowest, terminalColumns, visible } from './terminal.ts';

export type Row = Readonly<Record<string, string | number | undefined>>;

/** Lines of a table; the columns are the keys of the first row, without those that no row fills. */
export function table(rows: readonly Row[], terminal = terminalColumns()): readonly string[] {
  const cell = (row: Row, column: string): string => visible(String(row[column] ?? ''));
  const columns = Object.keys(rows[0] ?? {}).filter((column) => rows.some((row) => cell(row, column) !== ''));
  const texts = columns.map((column) => [column, ...rows.map((row) => cell(row, column))]);
  const widths = widthsFor(texts, terminal);
  const lines = (row: number): readonly string[] => {
    const cells = texts.map((column, index) =>
      column[row]!.length > widths[index]! ? linesOf(column[row]!, widths[index]!) : [column[row]!],
    );
    return Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, line) =>
      cells
        .map((cell, index) => (cell[line] ?? '').padEnd(widths[index]!))
        .join('  ')
        .trimEnd(),
    );
  };
  if (columns.length === 0) return [colors.bold('')];
  return [...lines(0).map(colors.bold), ...rows.flatMap((_, index) => lines(index + 1))];
}

/** As wide as what stands in each; the widest less, as far as their words and what can be read allow, until all fit. */
function widthsFor(texts: readonly (readonly string[])[], terminal: number | undefined): readonly number[] {
  const widths = texts.map((column) => longest(column));
  if (terminal === undefined) return widths;
  const least = texts.map((column, index) => Math.min(widths[index]!, Math.max(narrowest, longest(column.flatMap(wordsOf)))));
  const gaps = 2 * (widths.length - 1);
  let tooMuch = widths.reduce((sum, width) => sum + width, gaps) - terminal;
  while (tooMuch > 0) {
    const spare = widths.map((width, index) => width - least[index]!);
    const widest = spare.indexOf(Math.max(...spare));
    const less = Math.min(spare[widest]!, tooMuch);
    if (less === 0) break;
    widths[widest]! -= less;
    tooMuch -= less;
  }
  return widths;
}

const wordsOf = (text: string): readonly string[] => text.split(' ');
const longest = (texts: readonly string[]): number => texts.reduce((width, { length }) => Math.max(width, length), 0);
