// Owns: the list of verbs. Each declares itself on the program and loads what it needs when it is called.
import type { Command } from 'commander';
import { declareBacktest } from './backtest.ts';
import { declareCheck } from './check.ts';
import { declareDecode } from './decode.ts';
import { declareEmit } from './emit.ts';
import { declareExplain } from './explain.ts';
import { declareLab } from './lab.ts';
import { declareMigrate } from './migrate.ts';
import { declareResolve } from './resolve.ts';
import { declareShow } from './show.ts';
import { declareStart } from './start.ts';
import { declareTest } from './test.ts';

export const verbs: readonly ((program: Command) => void)[] = [
  declareStart,
  declareCheck,
  declareTest,
  declareBacktest,
  declareShow,
  declareExplain,
  declareEmit,
  declareResolve,
  declareMigrate,
  declareDecode,
  declareLab,
];
