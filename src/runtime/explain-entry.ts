// Owns: what an entry is, in words, where the story has none for it.
import type { Entry } from '../model/entry.ts';

export function entryText(entry: Entry): string {
  switch (entry.kind) {
    case 'tick':
      return 'tick: time passed, and something was due';
    case 'decided':
      return `decided: all up to entry ${entry.through} has been decided`;
    case 'deploy':
      return `deploy: from here on ${entry.policy} runs as version ${entry.version}${entry.revision ? `, git ${entry.revision}` : ''}`;
    case 'inventory':
      return `inventory: the network as described from here on, ${Object.keys(entry.inventory.targets).length} targets`;
    case 'snapshot':
      return `snapshot: what was known after entry ${entry.through} is kept`;
    case 'command':
      return `command: ${entry.by} says ${[entry.verb, ...entry.arguments].join(' ')}`;
    case 'outcome':
      return [`outcome: ${entry.intent} ended ${entry.outcome.kind}`, entry.outcome.reason].filter(Boolean).join(': ');
    case 'quarantine':
      return `quarantine: ${entry.policy} stopped at entry ${entry.cause}: ${entry.reason}`;
    default:
      return entry.kind;
  }
}
