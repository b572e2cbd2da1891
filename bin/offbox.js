#!/usr/bin/env node
// Owns: the `offbox` command's first step. Finds Node 24 and hands over to the command line.
import { join } from 'node:path';
import { inCheckout, packageRoot, runOnNode24 } from './node24.js';

runOnNode24(
  join(packageRoot, ...(inCheckout ? ['src', 'cli', 'offbox.ts'] : ['dist', 'src', 'cli', 'offbox.js'])),
  process.argv.slice(2),
);
