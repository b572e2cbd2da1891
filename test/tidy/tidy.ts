// Owns: the list of the house rules, and how a breach is told: `path:line: X is banned here, use Y`.
import { bannedModule, bannedNames, synchronous, wallClockRxjs } from './bans.ts';
import { importDirection } from './layers.ts';
import * as shape from './shape.ts';
import { type Breach, filesOf, type Rule, readSource, type Source } from './source.ts';

export const rules: readonly Rule[] = [
  importDirection,
  bannedNames,
  bannedModule,
  wallClockRxjs,
  synchronous,
  ...Object.values(shape),
];

export function breachesOf(source: Source): readonly Breach[] {
  return rules.flatMap((rule) => rule(source)).sort((a, b) => a.line - b.line);
}

/** Every breach below `root`, one line each. */
export function untidy(root: string): readonly string[] {
  return filesOf(root).flatMap((path) => breachesOf(readSource(root, path)).map(({ line, text }) => `${path}:${line}: ${text}`));
}
