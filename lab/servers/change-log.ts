// Owns: the file in which a device notes every line that reached its configuration: one JSON object a line, appended
// BEFORE the line takes effect, never rewritten. Crash tests count writes from it.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigWrite } from '../model/chassis.ts';

function changeLogPath(dir: string, device: string): string {
  return join(dir, 'devices', `${device}.log`);
}

export function appendWrite(dir: string, write: ConfigWrite): void {
  mkdirSync(join(dir, 'devices'), { recursive: true, mode: 0o700 });
  appendFileSync(changeLogPath(dir, write.device), `${JSON.stringify(write)}\n`);
}

/** Every write of every run so far; a last line cut short by a crash is left out. */
export function readWrites(dir: string, device: string): readonly ConfigWrite[] {
  const path = changeLogPath(dir, device);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ConfigWrite);
}
