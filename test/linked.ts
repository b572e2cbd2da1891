// Owns: what a folder of somebody's own has after npm install: this checkout as the package, and rxjs.
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

export function linkOffbox(folder: string): void {
  link(root, join(folder, 'node_modules', 'offbox'));
}

export function linkRxjs(folder: string): void {
  link(join(root, 'node_modules', 'rxjs'), join(folder, 'node_modules', 'rxjs'));
}

function link(to: string, at: string): void {
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(to, at);
}
