// Owns: offbox check: types, lints, configuration, inventory; path:line: message. Exit 1 where anything is wrong.
import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import colors from 'picocolors';
import { messageOf, OperatorError } from '../model/errors.ts';
import type { Finding } from '../runtime/check-policies.ts';
import { type Problem, pathText } from '../runtime/config-problem.ts';
import { findingText, typeErrors } from './findings.ts';
import { configFile } from './where.ts';

export function declareCheck(program: Command): void {
  program
    .command('check')
    .description('check the configuration, the inventory, the policies and their types')
    .option('-c, --config <file>', "the configuration (default: ./offbox.yaml, else the lab's)")
    .option('--json', 'print one JSON object a finding')
    .action(check);
}

async function check({ config, json }: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const [{ policiesOf, tryPolicies }, { checkConfig }, { lintPolicies, checkSelectors }, { checkPipes }, { checkMemory }] =
    await Promise.all([
      import('../main.ts'),
      import('../runtime/config.ts'),
      import('../runtime/check-policies.ts'),
      import('../runtime/check-pipes.ts'),
      import('../runtime/check-memory.ts'),
    ]);
  const file = configFile(config);
  const { problems, loaded } = await checkConfig(file);
  const findings: Finding[] = problems.map(findingOf);
  if (loaded) {
    const folder = resolve(loaded.directory, loaded.config.policies);
    findings.push(...(await lintPolicies(folder)));
    try {
      // First where one that does not come back is ended.
      await tryPolicies(loaded);
      const policies = await policiesOf(loaded);
      findings.push(
        ...loaded.strayModes(policies.map(({ policy }) => policy.name)).map(findingOf),
        ...(await checkSelectors(policies, loaded.inventory)),
        ...(await checkPipes(policies)),
        ...(await checkMemory(policies)),
      );
    } catch (thrown) {
      findings.push(...loadFindings(thrown));
    }
    // Also of a file that cannot be loaded: they name the line, and the word that was meant. What we said of a line says it better.
    const said = new Set(findings.flatMap(({ path, line }) => (line === undefined ? [] : [`${path}:${line}`])));
    const files = (await readdir(folder, { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.name.endsWith('.ts') && !entry.isDirectory())
      .map(({ name }) => join(folder, name));
    findings.push(...(await typeErrors(folder, files)).filter(({ path, line }) => !said.has(`${path}:${line}`)));
  }
  for (const finding of findings) process.stdout.write(`${json ? JSON.stringify(finding) : findingText(finding)}\n`);
  if (findings.length > 0) process.exitCode = 1;
  else if (!json)
    process.stdout.write(
      `${colors.green('✔')} ${relative(process.cwd(), file)}, its inventory and its policies are as they should be\n`,
    );
}

/** One a line; that they are to be mended and checked again goes without saying. */
function loadFindings(thrown: unknown): readonly Finding[] {
  const isMany = thrown instanceof OperatorError && thrown.code === 'policies-broken';
  const said = messageOf(thrown);
  const lines = (isMany ? said.slice(0, -thrown.remedy.length).trimEnd() : said).split('\n');
  return lines.map((line) => {
    const place = /^(?<path>[^\s:][^:]*):(?<line>\d+):(?<column>\d+): (?<text>.*)$/s.exec(line)?.groups;
    if (!place) return { text: line };
    const { path = '', text = '' } = place;
    return { path: resolve(path), line: Number(place.line), column: Number(place.column), text };
  });
}

const findingOf = ({ file, line, column, path, cause, remedy }: Problem): Finding => ({
  path: file,
  line,
  column,
  text: `${path.length === 0 ? '' : `${pathText(path)}: `}${cause}. ${remedy}`,
});
