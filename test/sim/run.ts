// Owns: npm run sim: many seeds, or one with its trace. `SEEDS=500 npm run sim`, `SEED=17 npm run sim`.
import { simulate } from './simulate.ts';

const { SEED, SEEDS, FIRST } = process.env;
const write = (line: string): void => void process.stdout.write(`${line}\n`);

if (SEED !== undefined) {
  const { violations } = await simulate({ seed: Number(SEED), onTrace: write });
  for (const violation of violations) write(`seed ${SEED}: ${violation}`);
  write(violations.length === 0 ? `seed ${SEED} passes` : `seed ${SEED} fails`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} else {
  const seeds = Number(SEEDS ?? 10_000);
  const first = Number(FIRST ?? 1);
  let [failed, entries] = [0, 0];
  const from = performance.now();
  for (let seed = first; seed < first + seeds; seed += 1) {
    const verdict = await simulate({ seed });
    entries += verdict.entries;
    if (verdict.violations.length > 0) {
      failed += 1;
      write(`seed ${seed} fails (SEED=${seed} npm run sim replays it):`);
      for (const violation of verdict.violations) write(`  ${violation}`);
    }
    if ((seed - first + 1) % 500 === 0) write(`${seed - first + 1} seeds, ${failed} failed`);
  }
  const seconds = (performance.now() - from) / 1000;
  write(`${seeds} seeds, ${failed} failed, ${entries} entries, ${seconds.toFixed(1)} s`);
  process.exitCode = failed === 0 ? 0 : 1;
}
