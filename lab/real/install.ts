// Owns: the lab tests' global setup: installs the Debian packages that are missing, where it may, and otherwise says
// loudly which tests will be skipped and why.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../src/model/errors.ts';
import { missingOf, notInstalledVariable, packageOf } from './available.ts';
import { output } from './process.ts';

const installMs = 600_000;
const policy = '/usr/sbin/policy-rc.d';

/** Why packages cannot be installed here. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root, so nothing was installed';
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) return 'not Debian, so nothing was installed';
  return undefined;
}

/** Asks maintainer scripts to start no daemon (Debian's policy-rc.d): the lab starts its own, in namespaces of its own. */
async function withoutDaemons(install: () => Promise<void>): Promise<void> {
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await install();
  } finally {
    if (ours) rmSync(policy);
  }
}

async function aptGet(...args: readonly string[]): Promise<void> {
  const lock = ['-o', 'DPkg::Lock::Timeout=600'];
  const argv = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...lock, ...args];
  await output(argv, { timeoutMs: installMs });
}

async function installMissing(packages: readonly string[]): Promise<void> {
  await aptGet('update');
  await withoutDaemons(() => aptGet('install', '-y', '--no-install-recommends', ...packages));
}

function shout(why: string, missing: readonly string[]): void {
  const wide = '!'.repeat(100);
  const lines = missing.map((program) => `  ${program} (Debian package ${packageOf[program]})`);
  console.error(`${wide}\nLAB TESTS WILL BE SKIPPED: ${why}.\nMissing:\n${lines.join('\n')}\n${wide}`);
}

/** Vitest's global setup. The forks that run the tests inherit the variable. */
export async function setup(): Promise<void> {
  if (process.getuid?.() !== 0) shout('network namespaces need root; run npm run test:lab as root', []);
  const missing = missingOf(Object.keys(packageOf));
  if (missing.length === 0) return;
  let why = obstacle();
  if (!why) {
    const packages = [...new Set(missing.map((program) => packageOf[program]!))];
    console.error(`lab: installing ${packages.join(' ')} …`);
    why = await installMissing(packages).then(
      () => undefined,
      (error: unknown) => `apt-get failed (${messageOf(error).slice(0, 500)})`,
    );
  }
  if (!why) return;
  process.env[notInstalledVariable] = why;
  shout(why, missingOf(missing));
}
