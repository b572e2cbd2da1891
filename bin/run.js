// Owns: running a development tool (vitest, tsc) or a source file on the pinned Node 24: `node bin/run.js vitest run`.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, runOnNode24 } from './node24.js';

const [tool, ...args] = process.argv.slice(2);
const folder = join(packageRoot, 'node_modules', tool === 'tsc' ? 'typescript' : (tool ?? ''));
let file = tool ?? '';
if (tool && !tool.endsWith('.ts') && existsSync(folder)) {
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  file = join(folder, typeof bin === 'string' ? bin : bin[tool]);
}
runOnNode24(file, args);
