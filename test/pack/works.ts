// Owns: what an installed Offbox must do, on the machine's own Node, however old.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { checkout, outside } from './package.ts';

export function installedOffboxWorks(path: (name: string) => string): void {
  test('npx offbox --version says which it is', async () => {
    const { stdout } = await outside('npx', ['--no-install', 'offbox', '--version'], path('.'));
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  test('a policy in TypeScript is loaded by Node 24 and gets the compiled offbox', async () => {
    const script = `const { default: mine } = await import('./policies/mine.ts'); console.log(mine.name, import.meta.resolve('offbox'));`;
    const node = path(`node_modules/node-linux-${process.arch}/bin/node`);
    const { stdout, stderr } = await outside(node, ['--input-type=module', '-e', script], path('.'));
    expect(stdout).toMatch(/^mine file:.*\/offbox\/dist\/src\/index\.js\n$/);
    expect(stderr).toBe('');
  });

  test('the policy type-checks against what is shipped', async () => {
    const { stdout } = await outside('node', [`${checkout}/bin/run.js`, 'tsc', '-p', path('tsconfig.json')], path('.')).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  test('offbox start loads the policy, listens with all its threads, and ends on SIGTERM', async () => {
    const { PATH = '', HOME = '' } = process.env;
    const offbox = spawn('node', ['node_modules/.bin/offbox', 'start'], { cwd: path('.'), env: { PATH, HOME, NO_COLOR: '1' } });
    const said: string[] = [];
    const lines = createInterface(offbox.stdout).on('line', (line) => {
      said.push(line);
      if (line.includes(' runs: ')) offbox.kill('SIGTERM');
    });
    offbox.stderr.on('data', (text) => said.push(String(text)));
    const [[code]] = await Promise.all([once(offbox, 'exit'), once(lines, 'close')]);
    expect(said.join('\n')).toMatch(/ runs: 1 policies, 1 targets, (?=.*syslog udp 127)(?=.*syslog tcp 127)(?=.*snmp udp 127)/);
    expect(code, said.join('\n')).toBe(0);
  });
}
