// Owns: how a line is matched against a table of commands: unique prefixes, parameters, and what IOS says otherwise.
//
// A pattern is words: `show ip bgp <address> <mask>`. `<rest>` takes everything that is left, at least one word.
import { maskLength } from '../config-facts.ts';
import { isDscp } from '../switch/dscp.ts';

export interface CommandPattern {
  readonly pattern: string;
}

export type Matched<C> =
  | { readonly kind: 'match'; readonly command: C; readonly args: readonly string[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'incomplete' }
  /** `at`: the column of the first character that fits nothing. */
  | { readonly kind: 'invalid'; readonly at: number };

interface Word {
  readonly text: string;
  readonly at: number;
}

const octets = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const parameters: Readonly<Record<string, (word: string) => boolean>> = {
  '<address>': (word) => octets.test(word),
  '<mask>': (word) => octets.test(word) && maskLength(word) >= 0,
  '<word>': () => true,
  '<rest>': () => true,
  '<interface>': (word) => /^(vlan|vl|gigabitethernet|gi|loopback|lo|nve)\d+(\/\d+)*$/i.test(word),
  '<mac>': (word) => /^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(word),
  '<dscp>': (word) => isDscp(word),
  '<vlans>': (word) => /^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(word),
};

function accepts(token: string, word: string): boolean {
  const range = /^<(\d+)-(\d+)>$/.exec(token);
  if (!range) return parameters[token]?.(word) ?? false;
  return /^\d{1,10}$/.test(word) && Number(word) >= Number(range[1]) && Number(word) <= Number(range[2]);
}

const isKeyword = (token: string) => !token.startsWith('<');

export function wordsOf(line: string): readonly Word[] {
  return [...line.matchAll(/\S+/g)].map((match) => ({ text: match[0], at: match.index }));
}

export function matchCommand<C extends CommandPattern>(line: string, table: readonly C[]): Matched<C> {
  const words = wordsOf(line);
  if (words.length === 0) return { kind: 'empty' };
  let rows: Row<C>[] = table.map((command) => ({ command, tokens: command.pattern.split(' ') }));
  const args: string[] = [];
  for (const [i, word] of words.entries()) {
    const next = step(rows, i, word.text);
    if (next.kind === 'invalid') return { kind: 'invalid', at: word.at + next.offset };
    if (next.kind === 'ambiguous') return next;
    rows = next.rows;
    const token = rows[0]!.tokens[i]!;
    if (token === '<rest>') return { kind: 'match', command: rows[0]!.command, args: [...args, line.slice(word.at).trimEnd()] };
    if (!isKeyword(token)) args.push(word.text);
  }
  const whole = rows.find(({ tokens }) => tokens.length === words.length);
  return whole ? { kind: 'match', command: whole.command, args } : { kind: 'incomplete' };
}

interface Row<C> {
  readonly command: C;
  readonly tokens: readonly string[];
}
type Step<C> =
  | { readonly kind: 'rows'; readonly rows: Row<C>[] }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'invalid'; readonly offset: number };

/** The rows that word `i` leaves: those with this keyword, else with a keyword that begins so, else with a parameter that takes it. */
function step<C>(rows: readonly Row<C>[], i: number, word: string): Step<C> {
  const lower = word.toLowerCase();
  const begins = rows.filter(({ tokens }) => isKeyword(tokens[i] ?? '<') && tokens[i]!.startsWith(lower));
  const exact = begins.filter(({ tokens }) => tokens[i] === lower);
  if (exact.length > 0) return { kind: 'rows', rows: exact };
  const keywords = new Set(begins.map(({ tokens }) => tokens[i]));
  if (keywords.size === 1) return { kind: 'rows', rows: begins };
  if (keywords.size > 1) return { kind: 'ambiguous' };
  const taken = rows.find(({ tokens }) => accepts(tokens[i] ?? '', word));
  if (taken) return { kind: 'rows', rows: rows.filter(({ tokens }) => tokens[i] === taken.tokens[i]) };
  return { kind: 'invalid', offset: Math.max(0, ...rows.map(({ tokens }) => sharedPrefix(tokens[i] ?? '', lower))) };
}

function sharedPrefix(keyword: string, word: string): number {
  let length = 0;
  while (length < word.length && keyword[length] === word[length]) length += 1;
  return length;
}

/** What can come next, for `?`. A half-typed word narrows it. */
export function nextWords(line: string, table: readonly CommandPattern[]): readonly string[] {
  const typing = /\S$/.test(line) ? (wordsOf(line).at(-1)?.text.toLowerCase() ?? '') : '';
  const done = wordsOf(line)
    .map(({ text }) => text)
    .slice(0, typing ? -1 : undefined);
  let rows: Row<CommandPattern>[] = table.map((command) => ({ command, tokens: command.pattern.split(' ') }));
  for (const [i, word] of done.entries()) {
    const next = step(rows, i, word);
    if (next.kind !== 'rows') return [];
    rows = next.rows;
  }
  const tokens = rows.map((row) => row.tokens[done.length] ?? '<cr>');
  return [...new Set(tokens)].filter((token) => (isKeyword(token) ? token.startsWith(typing) : typing === '')).sort();
}
