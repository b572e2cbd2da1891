// Owns: offbox test: plays the stories of the policies in virtual time and says where one goes otherwise.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import colors from 'picocolors';
import { messageOf, OperatorError } from '../model/errors.ts';

interface TestOptions {
  readonly policies: string;
  readonly rewrite?: boolean;
  readonly json?: boolean;
}

export function declareTest(program: Command): void {
  program
    .command('test')
    .description('play policy stories: <policies>/stories/<policy>/*.txt, in virtual time')
    .argument('[pattern]', 'only stories whose path contains it')
    .option('-p, --policies <folder>', 'the folder of policies', 'policies')
    .option('--rewrite', 'write down what happened; commit the difference only if you can explain it')
    .option('--json', 'print one JSON object a story')
    .action(test);
}

async function test(pattern: string | undefined, { policies: folder, rewrite, json }: TestOptions): Promise<void> {
  const { playStory, policiesBeside, loadPolicy, loadInventory } = await import('../main.ts');
  const root = resolve(folder);
  const all = await storiesOf(root);
  const stories = all.filter(({ file }) => pattern === undefined || file.includes(pattern));
  if (stories.length === 0 && all.length > 0)
    throw new OperatorError(`no path of a story contains "${pattern}"`, {
      code: 'usage',
      remedy: `There are ${all.length} in ${join(root, 'stories')}: leave the pattern out to play them all.`,
    });
  let failed = 0;
  for (const { file, policy } of stories) {
    const inventory = await loadInventory(await inventoryFor(file, root));
    const where = relative(process.cwd(), file);
    const text = await readFile(file, 'utf8');
    const names = [policy, ...policiesBeside(text)].sort();
    const policies = await Promise.all(names.map((name) => loadPolicy(join(root, `${name}.ts`))));
    const result = await playStory({ where, text, policies, inventory }).catch((thrown: unknown) => messageOf(thrown));
    const broken = typeof result === 'string';
    if (rewrite && !broken && !result.passed) await writeFile(file, result.text);
    const ok = !broken && (result.passed || rewrite === true);
    if (!ok) failed += 1;
    const said = broken ? result : result.passed ? '' : rewrite ? 'rewritten' : differenceText(where, result.difference);
    process.stdout.write(
      json
        ? `${JSON.stringify({ story: where, passed: ok, said })}\n`
        : `${ok ? colors.green('✔') : colors.red('✖')} ${where}${said ? `: ${said}` : ''}\n`,
    );
  }
  if (stories.length === 0)
    throw new OperatorError(`there is no story in ${root}`, {
      code: 'usage',
      remedy: 'Write one as stories/<policy>/<case>.txt below the folder of policies.',
    });
  if (!json) process.stdout.write(`${stories.length - failed} of ${stories.length} stories as written\n`);
  if (failed > 0) process.exitCode = 1;
}

function differenceText(
  where: string,
  difference: { readonly line: number; readonly expected: string; readonly happened: string } | undefined,
): string {
  return difference
    ? `\n  ${where}:${difference.line}\n  ${colors.red(`- ${difference.expected}`)}\n  ${colors.green(`+ ${difference.happened}`)}`
    : '';
}

async function storiesOf(root: string): Promise<readonly { readonly file: string; readonly policy: string }[]> {
  const found = await readdir(join(root, 'stories'), { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .flatMap((entry) => (entry.isDirectory() ? [] : [relative(join(root, 'stories'), join(entry.parentPath, entry.name))]))
    .filter((name) => /^[^/]+\/[^/]+\.txt$/.test(name))
    .sort()
    .map((name) => ({ file: join(root, 'stories', name), policy: name.slice(0, name.indexOf('/')) }));
}

/** Beside the story, else beside all stories. */
async function inventoryFor(file: string, root: string): Promise<string> {
  const own = join(file, '..', 'inventory.yaml');
  return (await stat(own).catch(() => undefined)) ? own : join(root, 'stories', 'inventory.yaml');
}
