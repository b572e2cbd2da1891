// Owns: the examples of a page: files are the blocks with a name, commands are the `sh` blocks. They are tried in a folder
// of their own, where `npx offbox` is this checkout's.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { linkOffbox } from '../linked.ts';

const root = join(import.meta.dirname, '..', '..');

export interface Example {
  readonly language: string;
  readonly file: string;
  readonly text: string;
}

export interface Page {
  readonly text: string;
  readonly examples: readonly Example[];
  readonly folder: string;
  /** Writes the files down. */
  unpack(): void;
  /** As a newcomer's shell would run it. */
  run(command: string): { readonly status: number | null; readonly output: string };
}

export function pageOf(file: string): Page {
  const text = readFileSync(join(root, file), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'offbox-docs-'));
  const examples = [...text.matchAll(/^( *)```(\w*) ?(\S*)\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = '', language = '', name = '', body = '']) => ({
      language,
      file: name,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
  return {
    text,
    examples,
    folder,
    unpack() {
      linkOffbox(folder);
      for (const example of examples) {
        if (example.file === '') continue;
        mkdirSync(join(folder, dirname(example.file)), { recursive: true });
        writeFileSync(join(folder, example.file), example.text);
      }
    },
    run(command) {
      const offbox = `'${process.execPath}' --conditions=offbox-source --disable-warning=ExperimentalWarning '${join(root, 'src', 'cli', 'offbox.ts')}'`;
      const { status, stdout, stderr } = spawnSync('sh', ['-ec', command.replaceAll('npx offbox', offbox)], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, NO_COLOR: '1' },
      });
      return { status, output: stdout + stderr };
    },
  };
}
