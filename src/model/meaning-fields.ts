// Owns: which fields each meaning has, and what may stand in them, read from its schema: for selectors and for documents.
import { z } from 'zod';
import { type MeaningKind, meaningSchema } from './meaning.ts';

export interface MeaningField {
  readonly name: string;
  /** What it holds. Lists and what has parts are no values to compare with. */
  readonly form: 'text' | 'word' | 'number' | 'whole number' | 'true or false' | 'list' | 'parts';
  /** Of a word: all there are. */
  readonly words: readonly string[];
  /** Not every event has it. */
  readonly optional: boolean;
}

/** All but `kind`, in the order of the schema. */
export const meaningFields: ReadonlyMap<MeaningKind, readonly MeaningField[]> = new Map(
  meaningSchema.options.map(({ shape }) => {
    const { kind, ...fields } = shape;
    return [kind.value, Object.entries(fields).map(([name, schema]) => fieldOf(name, schema))];
  }),
);

function fieldOf(name: string, schema: z.core.$ZodType): MeaningField {
  const optional = schema instanceof z.ZodOptional;
  const inner = optional ? schema.unwrap() : schema;
  return { name, form: formOf(inner), words: inner instanceof z.ZodEnum ? inner.options.map(String) : [], optional };
}

function formOf(schema: z.core.$ZodType): MeaningField['form'] {
  if (schema instanceof z.ZodString) return 'text';
  if (schema instanceof z.ZodEnum) return 'word';
  if (schema instanceof z.ZodNumber) return schema.isInt ? 'whole number' : 'number';
  if (schema instanceof z.ZodBoolean) return 'true or false';
  return schema instanceof z.ZodArray ? 'list' : 'parts';
}
