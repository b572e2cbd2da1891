// Owns: the life of one lab node: a pid 1 in namespaces of its own. Killing it ends all that runs in the node, and the
// kernel then takes its network namespace, links and mounts away. Nothing of it has a name on the machine.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeFault } from '../../src/model/errors.ts';
import { onLines, output } from './process.ts';

export type Role = 'switch' | 'host' | 'router';

export interface LabNode {
  readonly name: string;
  /** Of its pid 1, as the machine counts. */
  readonly pid: number;
  /** Puts a command into the node's network only: the machine's files and processes. */
  network(argv: readonly string[]): readonly string[];
  /** Puts a command wholly into the node. */
  inside(argv: readonly string[]): readonly string[];
  /** Starts the daemons: the links are in. */
  go(): Promise<void>;
  /** As pulling the plug: SIGKILL, no goodbye on the wire. */
  kill(): Promise<void>;
}

const script = join(import.meta.dirname, 'node-init.sh');

/** The pid of unshare's child, pid 1 of the node: unshare itself stays outside the new pid namespace. */
async function firstPid(unshare: number): Promise<number> {
  return Number((await readFile(`/proc/${unshare}/task/${unshare}/children`, 'utf8')).trim());
}

function wordsOf(child: ChildProcess, name: string): (word: string) => Promise<void> {
  const heard = new Set<string>();
  let wake = () => {};
  let complaint = '';
  let over = false;
  onLines(child, (line) => {
    heard.add(line);
    wake();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-4_000);
  });
  child.once('exit', () => {
    over = true;
    wake();
  });
  return async (word) => {
    while (!heard.has(word)) {
      if (over) {
        throw new RuntimeFault(`[lab] node ${name} ended before it was ${word}: ${complaint.trim()}`, {
          code: 'lab-node',
          remedy: 'See lab/real/node-init.sh for what it was doing.',
        });
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

export async function bootNode(name: string, role: Role, folder: string): Promise<LabNode> {
  const namespaces = ['-n', '-m', '-u', '-p', '-f', '--mount-proc', '--kill-child'];
  // A pipe for stdin, whose end tells the node that we are gone.
  const child = spawn('unshare', [...namespaces, 'bash', script, name, role, folder], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // the node may be dead before we say a word; `exit` tells
  const exited = once(child, 'exit');
  const said = wordsOf(child, name);
  await said('ready');
  const pid = await firstPid(child.pid!);
  const target = ['nsenter', '-t', String(pid)];
  return {
    name,
    pid,
    network: (argv) => [...target, '-n', '--', ...argv],
    inside: (argv) => [...target, '-m', '-u', '-n', '-p', '--', ...argv],
    async go() {
      child.stdin.write('go\n');
      await said('started');
    },
    async kill() {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(pid, 'SIGKILL');
        await exited;
      }
    },
  };
}

/** Runs a shell line in the node. */
export function shell(node: LabNode, line: string): Promise<string> {
  return output(node.inside(['sh', '-c', line]));
}
