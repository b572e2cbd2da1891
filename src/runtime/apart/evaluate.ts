// Owns: evaluating policies from their bundles, and nothing else of the disk: what runs is what was bundled and named by its digest, also
// when it is begun anew after the file has been edited.
import { type RegisterHooksOptions, registerHooks, SourceMap } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isPolicy, type Policy } from '../../core/policy.ts';
import { OperatorError, summaryOf } from '../../model/errors.ts';
import type { BundledPolicy } from './messages.ts';

const scheme = 'offbox-policy:';

/** Takes effect in this thread only. */
export function policyEvaluator(): (bundled: BundledPolicy) => Promise<Policy> {
  const bundles = new Map<string, BundledPolicy>();
  registerHooks({
    resolve(specifier, context, next) {
      if (bundles.has(specifier)) return { url: specifier, format: 'module', shortCircuit: true };
      const from = bundles.get(context.parentURL ?? '');
      // `offbox` and rxjs are found from where the policy lies.
      return next(specifier, from ? { ...context, parentURL: pathToFileURL(from.path).href } : context);
    },
    load(url, context, next) {
      const bundled = bundles.get(url);
      return bundled ? { format: 'module', source: bundled.bundle, shortCircuit: true } : next(url, context);
    },
  } satisfies RegisterHooksOptions);
  return async (bundled) => {
    const url = `${scheme}${bundled.version}/${encodeURIComponent(bundled.file)}`;
    bundles.set(url, bundled);
    return policyAt(url, bundled.file, bundled.map);
  };
}

/** The policy that a module exports. Rejects with an OperatorError that names its file, and the line where it can be told. */
export async function policyAt(url: string, file: string, map?: string): Promise<Policy> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(url)) as typeof module;
  } catch (thrown) {
    const place = placeOf(thrown, url, file, map);
    const { code, remedy } = faultOf(thrown);
    // What is declared says itself what is wrong.
    const what = thrown instanceof OperatorError ? thrown.summary : `cannot be loaded: ${summaryOf(thrown)}`;
    throw new OperatorError(`${place}: ${what}`, { code, remedy, cause: thrown });
  }
  if (isPolicy(module.default)) return module.default;
  throw new OperatorError(`${file}: has no policy as its default export`, {
    code: 'policy-missing',
    remedy: 'Write `export default policy({ … })`.',
  });
}

/** What is to be done where a file does more than declare, or waits for ever, when it is loaded. */
export const onlyDeclares = 'A policy file may only declare; look at the top of the file.';

function faultOf(thrown: unknown): { readonly code: string; readonly remedy: string } {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  if (thrown instanceof OperatorError) {
    const isImpure = thrown.code === 'policy-not-pure';
    return { code: 'policy-throws', remedy: isImpure ? `${onlyDeclares} ${thrown.remedy}` : thrown.remedy };
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    return { code: 'policy-imports', remedy: 'Correct the import, or install the package beside the policies.' };
  if (thrown instanceof SyntaxError)
    return { code: 'policy-imports', remedy: 'Correct the import; `offbox check` tells which word was probably meant.' };
  return { code: 'policy-throws', remedy: 'It is thrown while the top of the file is evaluated: correct it there.' };
}

/** Where it was thrown, in the files that a bundle was made of. What a policy throws may be anything, and have no stack. */
function placeOf(thrown: unknown, url: string, file: string, map: string | undefined): string {
  try {
    const [, frame = ''] = (thrown as Error).stack!.split(`${url}:`);
    const [, line, column] = /^(\d+):(\d+)/.exec(frame)!;
    // Types are taken out in their place.
    if (map === undefined) return `${file}:${line}:${column}`;
    const origin = new SourceMap(JSON.parse(map)).findOrigin(Number(line), Number(column));
    return 'fileName' in origin ? `${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}` : file;
  } catch {
    return file;
  }
}

/** Two files cannot have one policy. */
export const taken = (name: string, file: string, other: string): string =>
  `${file}: the name "${name}" is taken by ${other}. Give one of them another name.`;
