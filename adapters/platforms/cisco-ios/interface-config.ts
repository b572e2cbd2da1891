// Owns: what the running-config says of one interface.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { Dialogue } from '../../../src/ports/platform.ts';
import { linesOf, show, unreadable } from '../dialogue.ts';

/** The lines under the interface, trimmed. IOS closes the answer with `end`; NX-OS does not. */
export function* interfaceConfig(name: string, closedBy: 'end' | 'nothing' = 'end'): Dialogue<readonly string[]> {
  const command = `show running-config interface ${name}`;
  return linesUnder(command, yield* show(command), name, closedBy);
}

export function linesUnder(command: string, text: string, name: string, closedBy: 'end' | 'nothing'): readonly string[] {
  const lines = linesOf(text);
  if (closedBy === 'end' && lines.at(-1)?.trim() !== 'end') throw unreadable(command, lines.at(-1) ?? '(nothing)');
  const start = lines.findIndex((line) => {
    const written = /^interface (\S+)$/i.exec(line)?.[1];
    return written !== undefined && interfaceName(written).toLowerCase() === interfaceName(name).toLowerCase();
  });
  if (start < 0) throw unreadable(command, lines[0] ?? '(nothing)');
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^\S/.test(line));
  return rest.slice(0, end < 0 ? rest.length : end).map((line) => line.trim());
}
