// Owns: the evidence of an outcome: what was sent and what came back, bounded, with secrets blotted out.
import { createHash } from 'node:crypto';
import { evidenceBytesMax } from '../model/limits.ts';
import type { Command, Reply } from '../ports/actuator.ts';

/** Configuration words that are followed by a secret, on the platforms we write to. */
const secretWords = /\b(password|secret|community|key-string|md5|pre-shared-key)(\s+\d)?\s+\S+/gi;

export class Evidence {
  readonly #lines: string[] = [];
  #bytes = 0;

  readonly hear = (command: Command, reply: Reply): void => {
    const sent =
      'lines' in command
        ? command.lines.join(' / ')
        : 'line' in command
          ? command.line
          : 'config' in command
            ? command.config
            : 'operation' in command
              ? command.operation
              : command.filter;
    this.note(`> ${sent}`);
    if (reply.text.trim() !== '') this.note(`< ${reply.text.trim()}`);
  };

  note(text: string): void {
    const line = text.replace(secretWords, '$1$2 ***');
    if (this.#bytes + line.length > evidenceBytesMax) {
      this.#lines.push(`… ${line.length} characters more, sha256 ${createHash('sha256').update(line).digest('hex')}`);
      return;
    }
    this.#bytes += line.length;
    this.#lines.push(line);
  }

  lines(): readonly string[] & string[] {
    return [...this.#lines];
  }
}
