// Owns: who may import whom. A table, read once from top to bottom, and the rule that reads the imports.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type Breach, importsOf, type Rule } from './source.ts';

interface Layer {
  /** The files it is about. */
  readonly files: RegExp;
  /** What of ours it may import besides its own folder (`self`). */
  readonly ours: RegExp;
  /** npm packages; 'declared' is every one under `dependencies`. */
  readonly packages: readonly string[] | 'declared' | 'any';
  readonly builtins: 'allowed' | 'banned';
  /** What to do instead. */
  readonly remedy: string;
}

const pure = 'model, resources and ports are plain data and interfaces; have what you need handed in';
const shell = /^src\/(model|resources|ports|core|runtime)\//;

/** The first whose `files` match is the file's layer. */
export const layers: readonly Layer[] = [
  { files: /^src\/model\//, ours: /^src\/model\//, packages: ['zod'], builtins: 'banned', remedy: pure },
  { files: /^src\/resources\//, ours: /^src\/(model|resources)\//, packages: ['zod'], builtins: 'banned', remedy: pure },
  { files: /^src\/ports\//, ours: /^src\/(model|resources|ports)\//, packages: ['zod'], builtins: 'banned', remedy: pure },
  {
    files: /^src\/core\//,
    ours: /^src\/(model|resources|core)\//,
    packages: ['rxjs'],
    builtins: 'banned',
    remedy: 'the core imports model, resources and rxjs; let the runtime do it and hand the result in as an entry',
  },
  {
    files: /^src\/index\.ts$/,
    ours: /^src\/(model|resources|core)\//,
    packages: ['rxjs'],
    builtins: 'banned',
    remedy: 'authors get model, resources and core only',
  },
  {
    files: /^src\/runtime\//,
    ours: shell,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'the runtime gets adapters and platforms handed in by src/main.ts',
  },
  {
    files: /^src\/testing\//,
    ours: /^(src\/(model|resources|ports|core|runtime|testing)\/|adapters\/(journal-memory\/|platforms\/|source-syslog\/wire\.ts))/,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'stories run the core and the runtime over journal-memory, and read syslog lines as the source does',
  },
  {
    files: /^src\/main\.ts$/,
    ours: /^(src\/(model|resources|ports|core|runtime|testing)|adapters|lab)\//,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'main composes runtime, adapters and lab',
  },
  {
    files: /^src\/policy-thread\.ts$/,
    ours: /^(src\/(model|resources|ports|core|runtime|index\.ts)|adapters\/journal-sqlite)/,
    packages: [],
    builtins: 'allowed',
    remedy: 'the thread of policies composes an engine and a reader of the journal, and nothing that acts',
  },
  {
    files: /^src\/story-thread\.ts$/,
    ours: /^src\/(model|core|runtime|testing|index\.ts)/,
    packages: [],
    builtins: 'allowed',
    remedy: 'the thread of stories composes their player, and nothing that acts',
  },
  {
    files: /^src\/cli\//,
    ours: /^src\//,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'the command line gets adapters and lab from src/main.ts',
  },
  {
    files: /^adapters\/platforms\//,
    ours: /^(src\/(model|resources|ports)|adapters\/(platforms|xml))\//,
    packages: 'declared',
    builtins: 'banned',
    remedy: 'a platform is data over model, resources, ports and xml',
  },
  {
    files: /^adapters\/actuator-/,
    ours: /^(src\/(model|resources|ports)|adapters\/(platforms|ssh|snmp|libvirt-rpc))\//,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'an actuator imports model, resources, ports, platforms, ssh, snmp and libvirt-rpc; have the rest handed in',
  },
  {
    files: /^adapters\/source-/,
    ours: /^(src\/(model|resources|ports)|adapters\/(platforms|ssh|snmp|libvirt-rpc|requests))\//,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'a source imports model, resources, ports, platforms, ssh, snmp, libvirt-rpc and requests; have the rest handed in',
  },
  {
    files: /^adapters\/libvirt-rpc\//,
    ours: /^(src\/(model|resources|ports)|adapters\/(ssh|xml))\//,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'libvirt-rpc imports model, resources, ports, ssh and xml; have the rest handed in',
  },
  {
    files: /^adapters\//,
    ours: /^src\/(model|resources|ports)\//,
    packages: 'declared',
    builtins: 'allowed',
    remedy: 'an adapter imports model, resources and ports; have the rest handed in',
  },
  {
    files: /^policies\//,
    ours: /^never$/,
    packages: ['offbox'],
    builtins: 'banned',
    remedy: "import from 'offbox'",
  },
  {
    files: /^lab\//,
    ours: /^(src\/(model|resources|ports)\/|lab\/|adapters\/(xml\/|libvirt-rpc\/(xdr|protocol)\.ts$))/,
    packages: 'declared',
    builtins: 'allowed',
    remedy:
      'the lab imports model, resources, ports, xml and the codec of libvirt-rpc; start what it needs from test or src/main.ts',
  },
  { files: /^(test|bench)\/|^[^/]+\.config\.ts$/, ours: /./, packages: 'any', builtins: 'allowed', remedy: '' },
];

/** `adapters/source-syslog/`: what a file may always import. */
const ownFolder = (path: string) => /^adapters\/[^/]+\//.exec(path)?.[0];

const declared = new Set(
  Object.keys(
    (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { dependencies: object }).dependencies,
  ),
);

function refused(path: string, layer: Layer, specifier: string): boolean {
  if (specifier.startsWith('.')) {
    const file = posix.join(posix.dirname(path), specifier);
    const own = ownFolder(path);
    return !(layer.ours.test(file) || (own !== undefined && file.startsWith(own)));
  }
  if (specifier.startsWith('node:')) return layer.builtins === 'banned';
  if (layer.packages === 'any') return false;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return layer.packages === 'declared' ? !declared.has(name) : !layer.packages.includes(name);
}

export const importDirection: Rule = (source) => {
  if (!source.program) return [];
  const layer = layers.find(({ files }) => files.test(source.path));
  if (!layer) {
    return [
      {
        rule: 'folder',
        line: 1,
        text: 'a TypeScript file here belongs to no layer, put it in one of the folders of test/tidy/layers.ts',
      },
    ];
  }
  return importsOf(source)
    .filter(({ specifier }) => refused(source.path, layer, specifier))
    .map(({ specifier, node }): Breach => {
      return {
        rule: 'import',
        line: source.lineOf(node.start),
        text: `import of "${specifier}" is banned here: ${layer.remedy}`,
      };
    });
};
