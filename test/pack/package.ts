// Owns: the package as npm would publish it, made in a folder of its own, and a project that has it installed.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

export const checkout = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The machine's own Node and npm, not the Node 24 that vitest runs on; nothing of the checkout's environment. */
export function outside(command: string, args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const { PATH = '', HOME = '' } = process.env;
  return run(command, args, { cwd, env: { PATH, HOME, NO_COLOR: '1' }, timeout: 280_000 });
}

/** Compiles and packs the checkout as prepack and npm would, without touching its own dist. Returns the tarball. */
async function pack(folder: string): Promise<string> {
  const stage = join(folder, 'stage');
  await mkdir(stage);
  const parts = (await readdir(checkout)).filter((name) => /^(package\.json|bin|docs|policies|LICENSE|README\.md)$/.test(name));
  await Promise.all(parts.map((name) => cp(join(checkout, name), join(stage, name), { recursive: true })));
  const tsc = ['bin/run.js', 'tsc', '-p', 'tsconfig.build.json', '--outDir', join(stage, 'dist')];
  await outside('node', tsc, checkout).catch((error: { stdout: string }) => {
    throw new TypeError(`tsconfig.build.json does not compile:\n${error.stdout}`);
  });
  const { stdout } = await outside('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], stage);
  return join(folder, stdout.trim());
}

const policy = `import { bgpNetwork, exclusive, fhrp, policy } from 'offbox';

const prefix: string = '23.0.0.0/8';
export default policy({
  name: 'mine',
  on: fhrp.changed({ gateway: 'lan23' }),
  ensure: ({ gateway }) => exclusive(gateway, (member) => bgpNetwork(member, prefix)),
});
`;

const inventory = `targets:
  gw-a: { platform: frr, address: 127.9.9.9 }
gateways:
  lan23: { protocol: vrrp, members: [{ target: gw-a, group: 1 }] }
`;

/** A project with one policy, in \`folder\`. */
async function project(folder: string): Promise<void> {
  await mkdir(join(folder, 'policies'), { recursive: true });
  const files: Record<string, string> = {
    'package.json': '{ "private": true, "type": "module" }\n',
    'offbox.yaml': 'sources: { syslog: { udp: "127.0.0.1:0", tcp: "127.0.0.1:0" }, snmp: { udp: "127.0.0.1:0" } }\n',
    'inventory.yaml': inventory,
    'policies/mine.ts': policy,
    'tsconfig.json': JSON.stringify({
      compilerOptions: { target: 'es2024', module: 'nodenext', strict: true, noEmit: true, types: [] },
      include: ['policies'],
    }),
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
}

/** Unpacks instead of installing: only the declared dependencies are there, linked from the checkout. */
async function unpack(tarball: string, folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'offbox'), { recursive: true });
  await outside('tar', ['xzf', tarball, '-C', join(modules, 'offbox'), '--strip-components=1'], folder);
  const manifest = JSON.parse(await readFile(join(modules, 'offbox/package.json'), 'utf8'));
  const names = [...Object.keys(manifest.dependencies), `node-linux-${process.arch}`];
  for (const name of names) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(checkout, 'node_modules', name), join(modules, name));
  }
  await mkdir(join(modules, '.bin'));
  await symlink('../offbox/bin/offbox.js', join(modules, '.bin/offbox'));
}

/** `unpacked`: in a second. `installed`: by npm itself, with all it downloads. */
export function consumer(how: 'unpacked' | 'installed') {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offbox-pack-'));
    const tarball = await pack(folder);
    await project(join(folder, 'project'));
    if (how === 'unpacked') await unpack(tarball, join(folder, 'project'));
    else await outside('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], join(folder, 'project'));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { path: (name: string) => join(folder, 'project', name) };
}
