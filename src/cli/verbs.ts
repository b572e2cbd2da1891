// Owns: the list of verbs. Each declares itself on the program and loads what it needs when it is called.
import type { Command } from 'commander';
import { declareStart } from './start.ts';

export const verbs: readonly ((program: Command) => void)[] = [declareStart];
