// Owns: refusing what no selector can mean. A word misspelled would be listened for in vain, and nobody would say so where
// the types are not asked.
import { OperatorError } from '../model/errors.ts';
import type { MeaningField } from '../model/meaning-fields.ts';
import { nearest } from '../model/nearest.ts';

/** A field that a selector takes, or one that its events have and no selector can compare. */
export interface SelectorField {
  readonly name: string;
  readonly form: MeaningField['form'] | 'pattern' | 'mnemonic' | 'oid';
  readonly words?: readonly string[];
}

const wanted: Readonly<Record<SelectorField['form'], string>> = {
  text: 'a text',
  word: 'a word',
  number: 'a number',
  'whole number': 'a whole number',
  'true or false': 'true or false',
  mnemonic: 'a mnemonic such as HSRP-5-STATECHANGE, without the percent sign',
  oid: 'an OID such as 1.3.6.1.6.3.1.1.5.3, or a name such as linkDown',
  pattern: 'a regular expression such as /down$/',
  list: 'a list',
  parts: 'an object',
};

interface Fault {
  readonly what: string;
  readonly remedy: string;
}

/** OperatorError, with the remedy, for the first field that this selector has not, or whose value it cannot have. */
export function refuseSelector(selector: string, where: unknown, fields: readonly SelectorField[]): void {
  const fault = faultIn(where, fields);
  if (fault) throw new OperatorError(`${selector}: ${fault.what}`, { code: 'selector-invalid', remedy: fault.remedy });
}

function faultIn(where: unknown, fields: readonly SelectorField[]): Fault | undefined {
  if (!isPlain(where)) return { what: `${shown(where)} is no object of fields`, remedy: takesOf(fields) };
  for (const [name, value] of Object.entries(where)) {
    const field = fields.find((one) => one.name === name);
    const fault = field ? faultOf(value, field, fields) : unknown(name, fields);
    if (fault) return fault;
  }
  return undefined;
}

const comparable = ({ form }: SelectorField): boolean => form !== 'list' && form !== 'parts';

function takesOf(fields: readonly SelectorField[]): string {
  return `It takes ${fields
    .filter(comparable)
    .map(({ name }) => name)
    .join(', ')}.`;
}

function unknown(name: string, fields: readonly SelectorField[]): Fault {
  const meant = nearest(
    name,
    fields.filter(comparable).map((field) => field.name),
  );
  return { what: `it has no field \`${name}\``, remedy: `${meant ? `Did you mean ${meant}? ` : ''}${takesOf(fields)}` };
}

function faultOf(value: unknown, field: SelectorField, fields: readonly SelectorField[]): Fault | undefined {
  const { name, form } = field;
  if (!comparable(field))
    return {
      what: `\`${name}\` is ${wanted[form]}, and no value to compare with`,
      remedy: `Look at it in the event. ${takesOf(fields)}`,
    };
  return fits(value, field) ? undefined : { what: `\`${name}\` is ${shown(value)}`, remedy: remedyOf(value, field) };
}

function isPlain(where: unknown): where is Readonly<Record<string, unknown>> {
  return typeof where === 'object' && where !== null && !Array.isArray(where) && !(where instanceof RegExp);
}

function fits(value: unknown, { form, words = [] }: SelectorField): boolean {
  switch (form) {
    case 'text':
      return typeof value === 'string';
    case 'mnemonic':
      return typeof value === 'string' && /^[^\s%]\S*$/.test(value);
    case 'oid':
      return typeof value === 'string' && /^[^\s.]\S*$/.test(value);
    case 'word':
      return typeof value === 'string' && words.includes(value);
    case 'number':
      return Number.isFinite(value);
    case 'whole number':
      return Number.isInteger(value);
    case 'true or false':
      return typeof value === 'boolean';
    default:
      return value instanceof RegExp;
  }
}

function remedyOf(value: unknown, { form, words = [] }: SelectorField): string {
  if (value === undefined || value === null) return `Give it ${wanted[form]}, or leave it out.`;
  if (form !== 'word') return `Give it ${wanted[form]}.`;
  const meant = typeof value === 'string' ? nearest(value, words) : undefined;
  return `${meant ? `Did you mean ${meant}? ` : ''}It is one of ${words.join(', ')}.`;
}

const shownLettersMax = 60;

function shown(value: unknown): string {
  const text = typeof value === 'function' ? 'a function' : value instanceof RegExp ? String(value) : jsonOf(value);
  return text.length > shownLettersMax ? `${text.slice(0, shownLettersMax)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A bigint, or what contains itself.
    return 'what cannot be written';
  }
}
