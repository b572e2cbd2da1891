// Owns: the nearest miss: what went by without firing, for the sentence "the third came 4.1 s late". It is remembered only
// while explaining, decides nothing, and is in no cell: without it every intent is the same.
import { interfaceName } from '../../model/interface-name.ts';
import { explainedKeysMax } from '../../model/limits.ts';
import { secondsText } from '../../model/time.ts';
import type { Scope } from '../scope.ts';

/** What lapsed last, per key. */
export interface Lapses<T> {
  get(key: string): T | undefined;
  set(key: string, lapsed: T): void;
  delete(key: string): void;
}

export function lapses<T>({ traced }: Scope): Lapses<T> {
  const map = new Map<string, T>();
  return {
    get: (key) => map.get(key),
    set: (key, lapsed) => {
      if (!traced) return;
      map.delete(key);
      if (map.size >= explainedKeysMax) map.delete(map.keys().next().value!);
      map.set(key, lapsed);
    },
    delete: (key) => void map.delete(key),
  };
}

/** The keys seen, to find the one that was meant: written otherwise, and so another. */
export interface NearKeys {
  /** A key that differs only in how it is written. Remembers this one. */
  near(key: string): string | undefined;
}

export function nearKeys({ traced }: Scope): NearKeys {
  const byCanonical = new Map<string, Set<string>>();
  return {
    near: (key) => {
      if (!traced) return undefined;
      const canonical = canonicalKey(key);
      const alike = byCanonical.get(canonical) ?? new Set<string>();
      byCanonical.delete(canonical);
      if (byCanonical.size >= explainedKeysMax) byCanonical.delete(byCanonical.keys().next().value!);
      byCanonical.set(canonical, alike);
      alike.delete(key);
      const other = [...alike].at(-1);
      if (alike.size < spellingsMax) alike.add(key);
      return other;
    },
  };
}

/** There are not more ways to write one thing than this. */
const spellingsMax = 8;
const macForm = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$|^[0-9a-f]{4}(?:[.][0-9a-f]{4}){2}$|^[0-9a-f]{12}$/;

/** `R1.lab.example Gi1/0/1` and `r1 GigabitEthernet1/0/1` are one; so are the ways to write a MAC address. */
function canonicalKey(key: string): string {
  return key
    .split(/\s+/)
    .map((word) => {
      const lower = word.toLowerCase();
      if (macForm.test(lower)) return lower.replaceAll(/[.:-]/g, '');
      const host = /^([a-z][a-z0-9-]*)(?:\.[a-z][a-z0-9-]*)+$/.exec(lower);
      return host ? host[1]! : interfaceName(word).toLowerCase();
    })
    .join(' ');
}

/** `key differed: Gi1/0/1, GigabitEthernet1/0/1`: this one first, then the one before. */
export function keyDiffered(key: string, other: string): string {
  return `key differed: ${key}, ${other}`;
}

/**
 * How near a count came: the most that were together before this one, and how much too late it is for the oldest of them.
 * `before` are the times of the last `count` - 1. Undefined where it is no near miss: not even within twice the window.
 */
export function countMiss(
  before: readonly number[],
  now: number,
  count: number,
  windowMs: number,
): { readonly together: number; readonly since: number; readonly lateMs: number } | undefined {
  const last = before.at(-1);
  if (last === undefined) return undefined;
  const together = before.slice(1 - count).filter((time) => last - time < windowMs);
  const since = together[0]!;
  const lateMs = now - since - windowMs;
  return lateMs < 0 || lateMs >= windowMs ? undefined : { together: together.length, since, lateMs };
}

/** `4.1 s`, `12 s`, `250 ms`: as one would say it. */
export function lengthText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : secondsText(ms).replace(/\.?0+ s$/, ' s');
}

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];

/** 1 → `the first`. */
export function ordinal(number: number): string {
  const ending = number % 100 > 10 && number % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `the ${ordinals[number - 1] ?? `${number}${ending}`}`;
}
