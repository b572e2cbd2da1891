// Owns: tables on the terminal: as wide as their words, headed in bold; what is too long for the terminal is folded in
// the last column.
import colors from 'picocolors';
import { folded, terminalColumns, visible } from './terminal.ts';

export type Row = Readonly<Record<string, string | number | undefined>>;

/** Lines of a table; the columns are the keys of the first row, without those that no row fills. */
export function table(rows: readonly Row[]): readonly string[] {
  const cell = (row: Row, column: string): string => visible(String(row[column] ?? ''));
  const columns = Object.keys(rows[0] ?? {}).filter((column) => rows.some((row) => cell(row, column) !== ''));
  const widths = columns.map((column) => rows.reduce((width, row) => Math.max(width, cell(row, column).length), column.length));
  const margin = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const line = (words: readonly string[]): string =>
    words
      .map((word, index) => (index === words.length - 1 ? folded(word, margin, terminalColumns()) : word.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd();
  return [colors.bold(line(columns)), ...rows.map((row) => line(columns.map((column) => cell(row, column))))];
}
