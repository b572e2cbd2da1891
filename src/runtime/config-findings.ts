// Owns: what zod found wrong, in words: cause and remedy, with the nearest key or value, and never the value of a secret.
import type { z } from 'zod';
import { nearest } from '../model/nearest.ts';
import { secretSchema } from '../model/target.ts';
import type { Path } from './config-problem.ts';
import { type JsonSchema, schemaAt } from './schema.ts';

/** Something wrong with what stands at `path`, before its place in the file is known. */
export interface Finding {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly cause: string;
  readonly remedy: string;
}

export const finding = (path: Path, cause: string, remedy: string): Finding => ({ path, part: 'value', cause, remedy });
export const keyFinding = (path: Path, cause: string, remedy: string): Finding => ({ path, part: 'key', cause, remedy });

type Issue = z.core.$ZodIssue;

const secretForm = secretSchema.meta()?.description ?? '';

export function findingsOf(issues: readonly Issue[], root: unknown, schema: JsonSchema): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path as Path;
    const value = valueAt(root, path);
    if (schemaAt(schema, path)?.description === secretForm) return [secretFinding(path, value)];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, schemaAt(schema, path)));
    if (value === undefined && path.length > 0 && issue.code !== 'custom') return [missing(path, issue)];
    return [{ path, part: issue.code === 'invalid_key' ? 'key' : 'value', ...wrong(issue, path, value) }];
  });
}

/** Whatever stands where a reference to a secret belongs may be the secret. */
function secretFinding(path: Path, value: unknown): Finding {
  const form = 'Write {env: NAME}, {file: PATH} or {command: "pass show x"}.';
  if (value === undefined || value === null)
    return { path, part: 'key', cause: 'lacks the reference to its secret', remedy: form };
  const cause = 'must be a reference to a secret, and may be the secret itself';
  return { path, part: 'key', cause, remedy: `${form} Change the secret if this file was shared.` };
}

function unknownKey(path: Path, key: string, schema: JsonSchema | undefined): Finding {
  const known = Object.keys(schema?.properties ?? {});
  const meant = nearest(key, known);
  // An unknown key may be a secret that slipped out of its place: it is named only where it is a slip of the pen.
  if (meant === undefined && !/^[a-z_]{1,16}$/i.test(key)) {
    return { path, part: 'key', cause: 'has a key that is not known', remedy: `Known here: ${known.join(', ')}.` };
  }
  const remedy = meant === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return { path: [...path, key], part: 'key', cause: 'there is no such key', remedy };
}

function missing(path: Path, issue: Issue): Finding {
  const wanted =
    issue.code === 'invalid_value'
      ? `one of ${issue.values.join(', ')}`
      : 'expected' in issue
        ? kinds[issue.expected]
        : undefined;
  const key = String(path.at(-1));
  return {
    path: path.slice(0, -1),
    part: 'key',
    cause: `"${key}" is missing`,
    remedy: `Add "${key}:" with ${wanted ?? 'a value'}.`,
  };
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map (key: value)',
  record: 'a map (key: value)',
};

function wrong(issue: Issue, path: Path, value: unknown): { readonly cause: string; readonly remedy: string } {
  switch (issue.code) {
    case 'invalid_type':
      return wrongKind(kinds[issue.expected] ?? issue.expected, value);
    case 'invalid_value': {
      const known = issue.values.map(String);
      if (value === null) return { cause: 'has no value', remedy: `Write one of ${known.join(', ')}.` };
      const meant = typeof value === 'string' ? nearest(value, known) : undefined;
      return {
        cause: `${shown(value)} is not one of ${known.join(', ')}`,
        remedy: meant ? `Did you mean ${meant}?` : 'Write one of them.',
      };
    }
    case 'invalid_key':
      return { cause: `${shown(path.at(-1))} is no name`, remedy: `A name ${issue.issues[0]?.message ?? 'is a text'}.` };
    case 'too_small':
    case 'too_big':
      return wrongSize(issue, value);
    default:
      return told(issue.message, value);
  }
}

function wrongKind(wanted: string, value: unknown): { readonly cause: string; readonly remedy: string } {
  if (value === null) return { cause: 'has no value', remedy: `Write ${wanted}.` };
  const is = Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a map' : (kinds[typeof value] ?? typeof value);
  const scalar = wanted === 'a text' && typeof value !== 'object';
  return { cause: `must be ${wanted}, not ${is}`, remedy: scalar ? 'Put it in quotes.' : `Write ${wanted}.` };
}

function wrongSize(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>, value: unknown) {
  const [bound, word] = issue.code === 'too_small' ? [issue.minimum, 'least'] : [issue.maximum, 'most'];
  if (typeof value === 'number') return { cause: `${value} is out of range`, remedy: `The ${word} is ${bound}.` };
  if (Array.isArray(value) && value.length === 0) return { cause: 'the list is empty', remedy: `The ${word} is ${bound}.` };
  if (value === '') return { cause: 'the text is empty', remedy: 'Write one, or leave the key out.' };
  return { cause: `the ${Array.isArray(value) ? 'list' : 'text'} is of the wrong length`, remedy: `The ${word} is ${bound}.` };
}

/** Our own messages: `must be …` after a value, or a cause that stands alone. */
function told(message: string, value: unknown): { readonly cause: string; readonly remedy: string } {
  if (message.startsWith('must ')) return { cause: `${shown(value)} is not valid`, remedy: `It ${message}.` };
  return { cause: message, remedy: 'Add what is missing, or remove what is too much.' };
}

const shownLettersMax = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > shownLettersMax ? `${text.slice(0, shownLettersMax)}…` : text;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
      ? (value as Record<string | number, unknown>)[step]
      : undefined;
  }, root);
}
