// Owns: which configuration a verb speaks of: the one named, else ./offbox.yaml, else the simulated network's.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperatorError } from '../model/errors.ts';

/** Where `offbox start --lab` puts everything it makes. */
export const labDirectory = (): string => resolve('.offbox', 'lab');

export function configFile(named: string | undefined): string {
  const tried = named === undefined ? [resolve('offbox.yaml'), resolve(labDirectory(), 'offbox.yaml')] : [resolve(named)];
  const found = tried.find((path) => existsSync(path));
  if (found) return found;
  throw new OperatorError(`there is no ${tried.join(' and no ')}`, {
    code: 'usage',
    remedy: 'Go to the folder of your offbox.yaml, or name it with --config.',
  });
}

/** What `offbox start` runs: never the simulated network's, which belongs to `start --lab`. */
export function startFile(named: string): string {
  const file = resolve(named);
  if (existsSync(file)) return file;
  throw new OperatorError(`there is no ${file}`, {
    code: 'usage',
    remedy:
      'Go to the folder of your offbox.yaml, or name it with --config; `offbox start --lab` runs beside a simulated network and needs none.',
  });
}
