// Owns: which Offbox this is.
import { createRequire } from 'node:module';

/** The package's version, as `offbox --version` prints it and deploy entries record it. */
export const runtimeVersion: string = (createRequire(import.meta.url)('offbox/package.json') as { readonly version: string })
  .version;
