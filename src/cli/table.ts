// Owns: tables on the terminal: as wide as their words, headed in bold.
import colors from 'picocolors';

export type Row = Readonly<Record<string, string | number | undefined>>;

/** Lines of a table; the columns are the keys of the first row. */
export function table(rows: readonly Row[]): readonly string[] {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string): number => Math.max(column.length, ...rows.map((row) => String(row[column] ?? '').length));
  const widths = columns.map(width);
  const line = (words: readonly string[]): string =>
    words
      .map((word, index) => (index === words.length - 1 ? word : word.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd();
  return [colors.bold(line(columns)), ...rows.map((row) => line(columns.map((column) => String(row[column] ?? ''))))];
}
