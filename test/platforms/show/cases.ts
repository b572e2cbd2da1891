// Fixture folders of dialogues: test/fixtures/show/<platform>/<case>/ with case.json (what is asked), NN.command and
// NN.output (what is sent, what comes back), expected.json (what it means).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../../src/ports/actuator.ts';

export const root = join(import.meta.dirname, '../../fixtures/show');

export interface Exchange {
  readonly command: string;
  readonly output: string;
}

export interface Case {
  readonly platform: string;
  readonly name: string;
  readonly ask: {
    /** A query or a kind of resource. */
    readonly read: string;
    readonly protocol?: 'hsrp' | 'vrrp';
    readonly about?: string;
    /** What the resource has besides kind and target; a bgp-network may have it right here. */
    readonly resource?: Readonly<Record<string, unknown>>;
    readonly prefix?: string;
    readonly vrf?: string;
    readonly target?: { readonly cli?: boolean; readonly netconf?: boolean; readonly bgp?: { as?: number; neighbors: string[] } };
  };
  readonly exchanges: readonly Exchange[];
  readonly expected: {
    readonly rows?: readonly unknown[];
    readonly describe?: string;
    readonly present?: Planned;
    readonly absent?: Planned;
    readonly value?: string | null;
    readonly effective?: 'present' | 'absent' | 'neither';
    readonly error?: string;
    readonly says?: string;
  };
}

/** What is sent, or why nothing is. */
export type Planned = readonly Command[] | { readonly error: string; readonly says: string };

/** Every case; throws where a folder lacks a file or has one too many. */
export function cases(): readonly Case[] {
  return readdirSync(root).flatMap((platform) => readdirSync(join(root, platform)).map((name) => caseIn(platform, name)));
}

function caseIn(platform: string, name: string): Case {
  const folder = join(root, platform, name);
  const json = (file: string) => {
    if (!existsSync(join(folder, file))) throw new Error(`${folder} lacks ${file}`);
    return JSON.parse(readFileSync(join(folder, file), 'utf8'));
  };
  const commands = readdirSync(folder).filter((file) => file.endsWith('.command'));
  const exchanges = commands.sort().map((file, index) => {
    if (Number.parseInt(file, 10) !== index + 1) throw new Error(`${folder} lacks command ${index + 1}`);
    const output = join(folder, file.replace('.command', '.output'));
    if (!existsSync(output)) throw new Error(`${output} is missing`);
    return { command: readFileSync(join(folder, file), 'utf8').trimEnd(), output: readFileSync(output, 'utf8') };
  });
  const ours = 2 + 2 * exchanges.length;
  if (readdirSync(folder).length !== ours) throw new Error(`${folder} has a file that is no part of a case`);
  return { platform, name, ask: json('case.json'), exchanges, expected: json('expected.json') };
}

/** As the fixtures write it. */
export function written(command: Command): string {
  if (command.kind === 'cli') return command.line;
  if (command.kind === 'get' || command.kind === 'get-config') return `${command.kind} ${command.filter}`;
  return JSON.stringify(command);
}
