// Owns: the evidence of an outcome: what was sent and what came back, bounded, with secrets blotted out.
import { createHash } from 'node:crypto';
import { evidenceBytesMax } from '../model/limits.ts';
import type { Command, MigrateOptions, Reply } from '../ports/actuator.ts';
import { jsonBytes } from './entry-bound.ts';

/** Configuration words that are followed by a secret, on the platforms we write to. */
const secretWords = /\b(password|secret|community|key-string|md5|pre-shared-key)(\s+\d)?\s+\S+/gi;

/** What a command says, line by line. */
export function commandLines(command: Command): readonly string[] {
  switch (command.kind) {
    case 'cli':
      return [command.line];
    case 'configure':
      return command.lines;
    case 'edit':
      return [command.config];
    case 'rpc':
      return [command.operation];
    case 'get':
    case 'get-config':
      return [command.filter];
    case 'libvirt':
      return [[command.call, command.about].filter(Boolean).join(' ')];
    case 'migrate':
      return [`migrate ${command.uuid} to ${command.uri}${optionsText(command.options)}`];
    case 'abort-job':
      return [`abort the job of ${command.uuid}`];
    case 'snmp-get':
      return [`get ${command.oids.join(' ')}`];
    case 'snmp-walk':
      return [`walk ${command.below}`];
    case 'snmp-set':
      return [`set ${command.oid} = ${command.integer}`];
  }
}

/** `, auto-converge, persistent, 100 MiB/s`. */
function optionsText({ autoConverge, postCopy, persistent, bandwidthMiBs }: MigrateOptions): string {
  const said = [
    autoConverge && 'auto-converge',
    postCopy && 'post-copy',
    persistent && 'persistent',
    bandwidthMiBs !== undefined && `${bandwidthMiBs} MiB/s`,
  ];
  return said.map((word) => (word ? `, ${word}` : '')).join('');
}

export class Evidence {
  readonly #lines: string[] = [];
  /** As JSON. */
  #bytes = 0;
  /** What there was no room for. */
  readonly #cut = createHash('sha256');
  #lettersCut = 0;

  readonly hear = (command: Command, reply: Reply): void => {
    this.note(`> ${commandLines(command).join(' / ')}`);
    if (reply.text.trim() !== '') this.note(`< ${reply.text.trim()}`);
  };

  note(text: string): void {
    const line = text.replace(secretWords, '$1$2 ***');
    const bytes = this.#bytes + line.length > evidenceBytesMax ? Number.POSITIVE_INFINITY : jsonBytes(line);
    if (this.#bytes + bytes > evidenceBytesMax) {
      this.#cut.update(line);
      this.#lettersCut += line.length;
      return;
    }
    this.#bytes += bytes;
    this.#lines.push(line);
  }

  lines(): readonly string[] & string[] {
    const more = `… ${this.#lettersCut} characters more, sha256 ${this.#cut.copy().digest('hex')}`;
    return this.#lettersCut === 0 ? [...this.#lines] : [...this.#lines, more];
  }
}
