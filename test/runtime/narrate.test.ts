// What the terminal is told when a policy is stopped: why, and how one gets out of it.
import { expect, it } from 'vitest';
import { Engine } from '../../src/core/engine.ts';
import type { Entry } from '../../src/model/entry.ts';
import { narrator } from '../../src/runtime/narrate.ts';

const stopped = (reason: string): string => {
  const entry: Entry = { seq: 7, at: 1_000, kind: 'quarantine', policy: 'spins', cause: 6, reason };
  const [phrase, ...more] = narrator()(entry, new Engine([]));
  expect(more).toEqual([]);
  expect(phrase).toMatchObject({ at: 1_000, what: 'stopped', who: 'spins' });
  return phrase!.text;
};

it('says why a policy is stopped, that the others go on, and what starts it again', () => {
  const text = stopped('it did not come back within 2 s');
  expect(text).toMatch(/^it did not come back within 2 s\. The other policies go on\. Mend its file and save it/);
});

it('ends no sentence twice', () => {
  const text = stopped('bgpNetwork(): "198.51.100.1/24" has bits beyond its length. Did you mean 198.51.100.0/24?');
  expect(text).toContain('Did you mean 198.51.100.0/24? The other policies go on.');
});

it('asks for nothing where a policy was taken away', () => {
  expect(stopped('removed: its file is gone')).toBe('removed: its file is gone');
});

it('ends a reason that is a whole sentence with no second full stop', () => {
  expect(stopped('"198.51.100.0" is not an IPv4 prefix. Write it as 23.0.0.0/8.')).toMatch(
    /Write it as 23\.0\.0\.0\/8\. The other/,
  );
});
