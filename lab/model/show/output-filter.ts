// Owns: what stands behind the `|` of a show command: include, exclude, begin, section.

/** No filter says more. Beyond it, and for patterns that could run for ever on a line, IOS's own refusal is given. */
const patternCharsMax = 128;
const failed = '% Failed to compile regular expression';

export const filterNames = ['begin', 'exclude', 'include', 'section'] as const;
export type FilterName = (typeof filterNames)[number];

/**
 * A pattern as a RegExp; undefined where it cannot be one. A repeated group, or more than three unbounded repetitions,
 * can take exponential or high polynomial time on a line: refused.
 */
function compile(pattern: string): RegExp | undefined {
  const unbounded = pattern.match(/[*+{]/g)?.length ?? 0;
  if (pattern.length > patternCharsMax || unbounded > 3 || /\)[*+?{]|\\[1-9]/.test(pattern)) return undefined;
  try {
    // `_` in an IOS pattern is a delimiter: a space, a comma, a brace, the ends of the line.
    return new RegExp(pattern.replace(/(?<!\\)_/g, '(?:^|$|[ ,{}()])'));
  } catch {
    return undefined;
  }
}

export function filterOutput(text: string, name: FilterName, pattern: string): string {
  const wanted = compile(pattern);
  if (!wanted) return failed;
  const lines = text.split('\n');
  if (name === 'include') return lines.filter((line) => wanted.test(line)).join('\n');
  if (name === 'exclude') return lines.filter((line) => !wanted.test(line)).join('\n');
  if (name === 'section') return sections(lines, wanted).join('\n');
  const first = lines.findIndex((line) => wanted.test(line));
  return first < 0 ? '' : lines.slice(first).join('\n');
}

/** Every line that matches, with the lines below it that are indented deeper. */
function sections(lines: readonly string[], wanted: RegExp): string[] {
  const out: string[] = [];
  let inside = -1;
  for (const line of lines) {
    const indent = line.length - line.trimStart().length;
    if (inside >= 0 && indent > inside) {
      out.push(line);
      continue;
    }
    inside = wanted.test(line) ? indent : -1;
    if (inside >= 0) out.push(line);
  }
  return out;
}
