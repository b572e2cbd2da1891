// Owns: reading offbox.yaml and the inventory it names, and telling all that is wrong with them at once.
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { type Config, configSchema } from '../model/config.ts';
import { type Inventory, inventorySchema } from '../model/target.ts';
import { configFindings, inventoryFindings, modeFindings } from './config-checks.ts';
import { type Finding, findingsOf } from './config-findings.ts';
import { type Problem, problemsError } from './config-problem.ts';
import { engineUserFindings } from './config-snmp.ts';
import { readYaml, type YamlData } from './config-yaml.ts';
import { type JsonSchema, jsonSchemas } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  readonly inventory: Inventory;
  /** Where offbox.yaml is, absolute: what the paths in it are relative to. */
  readonly directory: string;
  /** What is wrong with modes of policies, once it is known which policies there are. */
  readonly strayModes: (policies: readonly string[]) => readonly Problem[];
}

/** Throws an OperatorError (`configuration`) that tells every problem on a line of its own; its `cause` is the list of them. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const { problems, loaded } = await checkConfig(path);
  if (loaded) return loaded;
  throw problemsError(problems);
}

/** The same without throwing: `loaded` is there if and only if there are no problems. */
export async function checkConfig(
  path: string,
): Promise<{ readonly problems: readonly Problem[]; readonly loaded?: LoadedConfig }> {
  const config = await load(
    path,
    configSchema,
    jsonSchemas.config,
    'Write one, if only with the line "inventory: inventory.yaml".',
  );
  // A mistake in offbox.yaml does not keep those in the inventory from being told.
  const named = config.value?.inventory ?? inventoryNamed(config.data?.value);
  if (named === undefined) return { problems: config.problems };
  const file = isAbsolute(named) ? named : join(dirname(path), named);
  const inventory = await load(
    file,
    inventorySchema,
    jsonSchemas.inventory,
    'Write one with "targets:", or name another in offbox.yaml.',
  );
  const problems = [
    ...config.problems,
    ...(config.value ? located(config.data, configFindings(config.value, inventory.value)) : []),
    ...inventory.problems,
    ...(inventory.value ? located(inventory.data, bothFindings(inventory.value, config.value)) : []),
  ];
  const { value, data } = config;
  if (problems.length > 0 || !value || !inventory.value) return { problems };
  const strayModes: LoadedConfig['strayModes'] = (policies) => located(data, modeFindings(value, policies));
  return { problems, loaded: { config: value, inventory: inventory.value, directory: resolve(dirname(path)), strayModes } };
}

/** Of the inventory: by itself, and beside an offbox.yaml. */
function bothFindings(inventory: Inventory, config: Config | undefined): readonly Finding[] {
  return [...inventoryFindings(inventory), ...(config ? engineUserFindings(config, inventory) : [])];
}

/** The inventory's name in an offbox.yaml that is wrong elsewhere. */
function inventoryNamed(written: unknown): string | undefined {
  return z.object({ inventory: configSchema.shape.inventory }).safeParse(written).data?.inventory;
}

/** An inventory alone, as the stories of policies have one. Throws as loadConfig does. */
export async function loadInventory(path: string): Promise<Inventory> {
  const { value, problems, data } = await load(path, inventorySchema, jsonSchemas.inventory, 'Write one with "targets:".');
  const all = [...problems, ...(value ? located(data, inventoryFindings(value)) : [])];
  if (value && all.length === 0) return value;
  throw problemsError(all);
}

interface Loaded<T> {
  readonly problems: readonly Problem[];
  readonly value?: T;
  readonly data?: YamlData;
}

async function load<T>(file: string, schema: z.ZodType<T>, json: JsonSchema, advice: string): Promise<Loaded<T>> {
  const reading = await readYaml(file, advice);
  if (reading.kind === 'problem') return { problems: [reading.problem] };
  const { data } = reading;
  if (data.value === null)
    return { problems: [{ file, line: 1, column: 1, path: [], cause: 'the file is empty', remedy: advice }] };
  const parsed = schema.safeParse(data.value);
  if (!parsed.success) return { problems: located(data, findingsOf(parsed.error.issues, data.value, json)), data };
  return { problems: [], value: parsed.data, data };
}

/** In the order of the file. */
function located(data: YamlData | undefined, findings: readonly Finding[]): readonly Problem[] {
  if (!data) return [];
  return findings
    .map(({ path, part, cause, remedy }) => ({ file: data.file, ...data.place(path, part), path, cause, remedy }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
