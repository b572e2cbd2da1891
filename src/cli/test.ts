// Owns: offbox test: checks policies, plays their stories in virtual time, and says where one goes otherwise.
import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import colors from 'picocolors';
import { messageOf, OperatorError } from '../model/errors.ts';
import type { Inventory } from '../model/target.ts';
import type { Stage } from '../testing/stage.ts';
import type { StoryResult } from '../testing/story.ts';
import { findingText } from './findings.ts';
import { inventories, policyPath, type Rehearsed, rehearsed, type StoryFile, storiesOf } from './rehearse.ts';

interface TestOptions {
  readonly policies: string;
  readonly rewrite?: boolean;
  readonly json?: boolean;
}

export function declareTest(program: Command): void {
  program
    .command('test')
    .description('check policies and play their stories: <policies>/stories/<policy>/*.txt, in virtual time')
    .argument('[pattern]', 'only stories whose path contains it')
    .option('-p, --policies <folder>', 'the folder of policies', 'policies')
    .option('--rewrite', 'write down what happened; commit the difference only if you can explain it')
    .option('--json', 'print one JSON object a story, and one a finding of the check')
    .action(test);
}

interface Outcome {
  readonly passed: boolean;
  readonly said: string;
}

async function test(pattern: string | undefined, options: TestOptions): Promise<void> {
  const { policies: folder, json } = options;
  const root = resolve(folder);
  const all = await storiesOf(root);
  const stories = all.filter(({ file }) => pattern === undefined || file.includes(pattern));
  if (stories.length === 0 && all.length > 0)
    throw new OperatorError(`no path of a story contains "${pattern}"`, {
      code: 'usage',
      remedy: `There are ${all.length} in ${join(root, 'stories')}: leave the pattern out to play them all.`,
    });
  if (stories.length === 0) {
    throw new OperatorError(`there is no story in ${root}`, {
      code: 'usage',
      remedy: 'Write one as stories/<policy>/<case>.txt below the folder of policies.',
    });
  }
  const stage = (await import('../main.ts')).storyStage();
  try {
    const rehearsal = await rehearsed(root, stories, stage);
    const { findings } = rehearsal;
    for (const finding of findings) process.stdout.write(`${json ? JSON.stringify(finding) : findingText(finding)}\n`);
    const failed = await new Playing(root, rehearsal, stage, options).all(stories);
    if (failed > 0 || findings.length > 0) process.exitCode = 1;
    if (json) return;
    process.stdout.write(`${stories.length - failed} of ${stories.length} stories as written\n`);
    const found = findings.length === 1 ? '1 mistake' : `${findings.length} mistakes`;
    if (findings.length > 0)
      process.stdout.write(`${colors.red('✖')} \`offbox check\` finds ${found} in their policies: see above\n`);
  } finally {
    await stage.end();
  }
}

class Playing {
  readonly #root: string;
  readonly #rehearsed: Rehearsed;
  readonly #stage: Stage;
  readonly #options: TestOptions;

  constructor(root: string, rehearsal: Rehearsed, stage: Stage, options: TestOptions) {
    this.#root = root;
    this.#rehearsed = rehearsal;
    this.#stage = stage;
    this.#options = options;
  }

  /** Plays stories and tells of each. Resolves with how many failed. */
  async all(stories: readonly StoryFile[]): Promise<number> {
    const inventoryOf = inventories(this.#root);
    let failed = 0;
    for (const [policy, own] of Map.groupBy(stories, (story) => story.policy)) {
      const inventory = await inventoryOf(policy).catch(messageOf);
      const fault = this.#faultOf(policy) ?? (typeof inventory === 'string' ? inventory : undefined);
      if (fault !== undefined || typeof inventory === 'string') {
        // Once for all of them.
        failed += own.length;
        this.#tell(relative(process.cwd(), join(this.#root, 'stories', policy)), { passed: false, said: fault ?? '' });
        continue;
      }
      for (const story of own) {
        const outcome = await this.#play(story, inventory);
        if (!outcome.passed) failed += 1;
        this.#tell(story.where, outcome);
      }
    }
    return failed;
  }

  /** Why no story of a policy can be played. */
  #faultOf(policy: string): string | undefined {
    const { faults, missing } = this.#rehearsed;
    if (!missing.has(policy)) return faults.get(policy);
    return `there is no ${this.#named(policy)}. Rename the folder or add the policy.`;
  }

  #named(policy: string): string {
    return relative(process.cwd(), policyPath(this.#root, policy));
  }

  async #play(story: StoryFile, inventory: Inventory): Promise<Outcome> {
    const { faults, missing } = this.#rehearsed;
    const { file, where, text, policies } = story;
    const absent = policies.find((name) => missing.has(name));
    if (absent !== undefined) {
      const said = `there is no ${this.#named(absent)}. Mend \`with ${absent}\` or add the policy.`;
      return { passed: false, said };
    }
    const broken = policies.find((name) => faults.has(name));
    if (broken !== undefined) return { passed: false, said: faults.get(broken)! };
    const played = await this.#stage.play({ where, text, inventory, policies });
    if (typeof played === 'string') return { passed: false, said: played };
    const { result, findings } = played;
    const passed = result.passed && findings.length === 0;
    const why = [...findings.map(findingText), ...(result.passed ? [] : stoppedTexts(story, result))];
    if (this.#options.rewrite && !result.passed) {
      const unfit = policies.find((name) => this.#rehearsed.unfit.has(name));
      if (unfit !== undefined) why.unshift(`not rewritten: ${this.#named(unfit)} does not pass the check`);
      if (unfit !== undefined || findings.length > 0) return { passed, said: why.join('\n  ') };
      await writeFile(file, result.text);
      return { passed: true, said: ['rewritten', ...why].join('\n  ') };
    }
    const { difference } = result;
    if (difference) why.push(...(why.length === 0 ? [''] : []), differenceText(where, difference));
    return { passed, said: why.join('\n  ') };
  }

  #tell(story: string, { passed, said }: Outcome): void {
    process.stdout.write(
      this.#options.json
        ? `${JSON.stringify({ story, passed, said })}\n`
        : `${passed ? colors.green('✔') : colors.red('✖')} ${story}${said ? `: ${said}` : ''}\n`,
    );
  }
}

/** Policies that were stopped, where the story does not tell of it: then the first line that differs does not say why. */
function stoppedTexts({ text }: StoryFile, { stopped }: StoryResult): readonly string[] {
  return stopped
    .filter(({ reason }) => !text.includes(reason))
    .map(({ policy, reason }) => `the policy ${policy} is stopped: ${reason}`);
}

function differenceText(where: string, { line, expected, happened }: NonNullable<StoryResult['difference']>): string {
  return `${where}:${line}\n  ${colors.red(`- ${expected}`)}\n  ${colors.green(`+ ${happened}`)}`;
}
