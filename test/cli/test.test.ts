// What `offbox test` says of policies that do not come back, use what policies do not have, fail the check, or are not there.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { linkOffbox } from '../linked.ts';
import { ended, type Ran, startOffbox } from './offbox.ts';

const key = `cli: { user: o, key: { file: k }, hostKey: 'SHA256:${'A'.repeat(43)}' }`;
const inventory = `targets:
  edge-1: { platform: frr, address: 192.0.2.1, ${key} }
  edge-2: { platform: frr, address: 192.0.2.2, ${key} }
gateways:
  office:
    protocol: vrrp
    prefixes: [198.51.100.0/24]
    members: [{ target: edge-1, interface: eth1, group: 7 }, { target: edge-2, interface: eth1, group: 7 }]
`;

interface Parts {
  readonly gateway?: string;
  /** At the top of the file. */
  readonly top?: string;
  /** In `ensure`. */
  readonly before?: string;
  readonly prefix?: string;
}

const advertising = (name: string, { gateway = 'office', top = '', before = '', prefix = "'198.51.100.0/24'" }: Parts = {}) => `
import { bgpNetwork, exclusive, fhrp, policy } from 'offbox';
${top}
export default policy({
  name: '${name}',
  describe: 'The master advertises.',
  on: fhrp.changed({ gateway: '${gateway}' }),
  ensure: ({ gateway }) => {
    ${before}
    return exclusive(gateway, (member) => bgpNetwork(member, ${prefix}));
  },
});
`;

const story = '# The master advertises.\nedge-1 is master\nedge-2 is backup\nstart\nwait 5s\n----\n';

function folderWith(files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), 'offbox-test-'));
  linkOffbox(home);
  const all = { 'package.json': '{"type":"module"}', 'policies/stories/inventory.yaml': inventory, ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  return home;
}

/** Ends what does not end by itself. */
async function tested(home: string, ...words: string[]): Promise<Ran> {
  const child = startOffbox(home, 'test', ...words);
  const late = setTimeout(() => child.kill('SIGKILL'), 40_000);
  return ended(child).finally(() => clearTimeout(late));
}

const written = (home: string, policy: string): string => readFileSync(join(home, `policies/stories/${policy}/one.txt`), 'utf8');

it('ends a policy that does not come back, with its place in the story, and plays the others', async () => {
  const home = folderWith({
    'policies/atop.ts': advertising('atop', { top: 'while (true);' }),
    'policies/stories/atop/one.txt': story,
    'policies/good.ts': advertising('good'),
    'policies/stories/good/one.txt': story,
    'policies/loops.ts': advertising('loops', { before: 'while (true);' }),
    'policies/stories/loops/one.txt': story,
    'policies/stories/loops/two.txt': `${story}\nwith good\nwait 1s\n----\n`,
    'policies/worthy.ts': advertising('worthy'),
    'policies/stories/worthy/one.txt': story,
  });
  const { out, err, code } = await tested(home, '--rewrite');
  expect({ err, code }, out).toEqual({ err: '', code: 1 });
  const stop = 'it did not come back within 2 s';
  expect(out).toContain(`✖ policies/stories/atop: policies/atop.ts: ${stop}`);
  for (const one of ['one', 'two'])
    expect(out).toContain(
      `✖ policies/stories/loops/${one}.txt: policies/stories/loops/${one}.txt:4: "start": the policy loops: ${stop}`,
    );
  expect(out).toContain('✔ policies/stories/good/one.txt: rewritten');
  expect(out).toContain('✔ policies/stories/worthy/one.txt: rewritten');
  expect(out).toContain('2 of 5 stories as written');
  expect(written(home, 'good')).toContain('NETWORK  198.51.100.0/24 via edge-1');
});

it('has nothing in a story that policies do not have live, and says what stopped one', async () => {
  // Names that a check of the text does not find.
  const uses: Readonly<Record<string, string>> = {
    clock: "const clock = 'Date'; (globalThis as never as Record<string, DateConstructor>)[clock]!.now();",
    chance: "const random = 'random'; Math[random]();",
    timer:
      "const later = 'setTimeout'; (globalThis as never as Record<string, (what: () => void) => void>)[later]!(() => undefined);",
    outside: "const world = 'process'; (globalThis as never as Record<string, { exit(): void }>)[world]!.exit();",
  };
  const home = folderWith(
    Object.fromEntries(
      Object.entries(uses).flatMap(([name, before]) => [
        [`policies/${name}.ts`, advertising(name, { before })],
        [`policies/stories/${name}/one.txt`, story],
      ]),
    ),
  );
  const { out, code } = await tested(home);
  expect(code, out).toBe(1);
  expect(out).toContain('0 of 4 stories as written');
  for (const [name, what] of Object.entries({
    clock: 'Date.now',
    chance: 'Math.random',
    timer: 'setTimeout',
    outside: 'process',
  }))
    expect(out).toMatch(new RegExp(`the policy ${name} is stopped: it uses ${what}, which policies do not have\\. .+`));
});

it('fails where the check of a policy that it plays does, and does not write what came of it', async () => {
  const home = folderWith({
    'policies/mistyped.ts': advertising('mistyped', { prefix: '42' }),
    'policies/stories/mistyped/one.txt': story,
    'policies/banned.ts': advertising('banned', { before: 'new Date(0);' }),
    'policies/stories/banned/one.txt': story,
    'policies/good.ts': advertising('good'),
    'policies/stories/good/one.txt': story,
    'policies/untold.ts': advertising('untold', { prefix: '42' }),
  });
  const { out, code } = await tested(home, '--rewrite');
  expect(code, out).toBe(1);
  expect(out).toMatch(/^policies\/mistyped\.ts:10:\d+: Argument of type 'number'/m);
  expect(out).toMatch(/^policies\/banned\.ts:9:\d+: Date is banned in a policy/m);
  expect(out).not.toContain('untold');
  for (const name of ['mistyped', 'banned']) {
    expect(out).toContain(`✖ policies/stories/${name}/one.txt: not rewritten: policies/${name}.ts does not pass the check`);
    expect(written(home, name)).toBe(story);
  }
  expect(out).toContain('✔ policies/stories/good/one.txt: rewritten');
  expect(out).toContain('`offbox check` finds 2 mistakes');
  const again = await tested(home, '--json', 'good');
  expect({ code: again.code, out: again.out.trim() }).toEqual({
    code: 0,
    out: '{"story":"policies/stories/good/one.txt","passed":true,"said":""}',
  });
});

it('is not green where a story goes as written and its policy does not pass the check', async () => {
  const home = folderWith({ 'policies/good.ts': advertising('good'), 'policies/stories/good/one.txt': story });
  expect((await tested(home, '--rewrite')).code).toBe(0);
  writeFileSync(join(home, 'policies/good.ts'), advertising('good', { before: 'const many: number = "many"; void many;' }));
  const { out, code } = await tested(home);
  expect(out).toMatch(/^policies\/good\.ts:9:\d+: Type 'string' is not assignable to type 'number'/m);
  expect(out).toContain('1 of 1 stories as written');
  expect(code, out).toBe(1);
});

it('says why a policy hears nothing, and does not write that down', async () => {
  const home = folderWith({
    'policies/office.ts': advertising('office', { gateway: 'ofice' }),
    'policies/stories/office/one.txt': story,
  });
  const why = 'policies/office.ts:7:31: office: there is no gateway "ofice". Did you mean office?';
  const { out, code } = await tested(home);
  expect(code, out).toBe(1);
  expect(out).toContain(`✖ policies/stories/office/one.txt: ${why}`);
  const again = await tested(home, '--rewrite');
  expect(again.code, again.out).toBe(1);
  expect(again.out).toContain(why);
  expect(written(home, 'office')).toBe(story);
});

it('counts stories without a policy as failed, says what to do, and plays the others', async () => {
  const home = folderWith({
    'policies/stories/gone/one.txt': story,
    'policies/stories/gone/two.txt': story,
    'policies/broken.ts': 'export default policy({',
    'policies/stories/broken/one.txt': story,
    'policies/good.ts': advertising('good'),
    'policies/stories/good/one.txt': story,
    'policies/stories/good/two.txt': `with nobody\n${story.slice(story.indexOf('edge'))}`,
  });
  const { out, err, code } = await tested(home, '--rewrite');
  expect({ err, code }, out).toEqual({ err: '', code: 1 });
  expect(out).toContain('✖ policies/stories/gone: there is no policies/gone.ts. Rename the folder or add the policy.\n');
  expect(out).toMatch(/✖ policies\/stories\/broken: policies\/broken\.ts:\d+:\d+: /);
  expect(out).toContain('✖ policies/stories/good/two.txt: there is no policies/nobody.ts. Mend `with nobody` or add the policy.');
  expect(out).toContain('✔ policies/stories/good/one.txt: rewritten');
  expect(out).toContain('1 of 5 stories as written');
});
