// Owns: the JSON Schemas of offbox.yaml and inventory.yaml, made from the zod schemas: for editors, and for our own
// error messages. An editor with the YAML language server checks a file while it is written, once the file begins with
//
//   # yaml-language-server: $schema=./inventory.schema.json
import { z } from 'zod';
import { configSchema } from '../model/config.ts';
import { inventorySchema } from '../model/target.ts';

/** As much of JSON Schema as ours use. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
}

export const jsonSchemas: Readonly<Record<'config' | 'inventory', JsonSchema>> = {
  config: jsonSchema(configSchema, 'Offbox configuration (offbox.yaml)'),
  inventory: jsonSchema(inventorySchema, 'Offbox inventory (inventory.yaml)'),
};

function jsonSchema(schema: z.ZodType, title: string): JsonSchema {
  // 'input': what is written, so that whatever has a default may be left out.
  return { title, ...z.toJSONSchema(schema, { io: 'input' }) } as JsonSchema;
}

/** The text of the schema file. */
export function schemaText(kind: 'config' | 'inventory'): string {
  return `${JSON.stringify(jsonSchemas[kind], null, 2)}\n`;
}

/** What is said of the value at `path`: below records every key, in lists every number. */
export function schemaAt(schema: JsonSchema | undefined, path: readonly (string | number)[]): JsonSchema | undefined {
  const [step, ...rest] = path;
  if (step === undefined || schema === undefined) return schema;
  if (typeof step === 'number') return schemaAt(schema.items, rest);
  if (schema.properties && Object.hasOwn(schema.properties, step)) return schemaAt(schema.properties[step], rest);
  return typeof schema.additionalProperties === 'object' ? schemaAt(schema.additionalProperties, rest) : undefined;
}
