// Owns: lengths of time as people write them ('2s', '5m') and as the engine counts them (integer milliseconds).
import { z } from 'zod';

/** A length of time: a whole or decimal number and a unit: `'250ms'`, `'2s'`, `'5m'`, `'1.5h'`, `'7d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** 100 years: added to any time there is, it stays a whole number that JSON keeps. */
const durationMsMax = 100 * 366 * unitMs.d;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of a duration, a whole number. Throws a RangeError that shows the form wanted. */
export function durationMs(duration: string): number {
  if (!pattern.test(duration))
    throw new RangeError(`"${duration}" is not a length of time. Write a number and a unit, such as 250ms, 2s, 5m, 1h or 7d.`);
  const ms = durationOf(duration);
  if (ms > durationMsMax) throw new RangeError(`"${duration}" is longer than 100 years. Write something that ends before.`);
  return ms;
}

/** Of what has the form. */
function durationOf(written: string): number {
  const [, number, unit] = pattern.exec(written)!;
  return Math.round(Number(number) * unitMs[unit as keyof typeof unitMs]);
}

export const durationSchema = z
  .string()
  .regex(pattern, { error: 'must be a number and a unit, such as 250ms, 2s, 5m, 1h or 7d', abort: true })
  .refine((written) => durationOf(written) <= durationMsMax, 'must be shorter than 100 years')
  .meta({ description: 'A length of time: a number and a unit (ms, s, m, h, d), such as 2s or 5m.' });

/** `1234` → `1.234 s`, `61000` → `61.000 s`: how reports and stories print a span. */
export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

/** A length that people counted in minutes or hours: `30 min`, `1 h 5 min`; below two minutes, seconds. */
export function spanText(ms: number): string {
  if (ms < 2 * unitMs.m) return secondsText(ms);
  const minutes = Math.round(ms / unitMs.m);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 ? [`${rest} min`] : [])].join(' ');
}
