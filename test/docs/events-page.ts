// Owns: the tables of docs/events.md, made from what the code has: the selectors and their comments, the meanings' fields and
// theirs, what each platform's messages are understood as, and the recorded lines and notifications of the tests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { syslogReadings } from '../../adapters/platforms/syslog-meanings.ts';
import type { SyslogReading } from '../../adapters/platforms/syslog-readings.ts';
import { parseSyslog } from '../../adapters/source-syslog/index.ts';
import type { Selector } from '../../src/core/selector.ts';
import * as words from '../../src/core/selectors.ts';
import type { SyslogFields } from '../../src/model/event.ts';
import { type MeaningKind, meaningSubjects } from '../../src/model/meaning.ts';
import { type MeaningField, meaningFields } from '../../src/model/meaning-fields.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), 'utf8');
const foldersOf = (...path: readonly string[]): readonly string[] =>
  readdirSync(join(root, ...path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** Every selector that gives a meaning, as authors call it. */
const selectors: readonly { readonly call: string; readonly made: Selector }[] = Object.entries(words).flatMap(([name, word]) =>
  typeof word === 'function'
    ? []
    : Object.entries(word).map(([last, make]) => ({ call: `${name}.${last}()`, made: (make as () => Selector)() })),
);

/** What gives the meanings that no device's message has. */
const givenBy: Readonly<Partial<Record<MeaningKind, string>>> = {
  'fhrp.changed':
    'Made of `hsrp.state-changed` and `vrrp.state-changed`, where the inventory declares who says it as a member of a gateway under `gateways`.',
  'vm.migration-requested':
    "A request over HTTP or NATS, `npx offbox migrate web1 --to kvm2`, or the mark `<migration to='kvm2'/>` in a VM's metadata.",
  'vm.migration-started': 'Made of what two hypervisors (`platform: libvirt`) say of one VM.',
  'vm.migrated': 'Made of what two hypervisors (`platform: libvirt`) say of one VM, or of what is read of them.',
  'vm.migration-failed': 'Made of what two hypervisors (`platform: libvirt`) say of one VM, or of what is read of them.',
  'vm.migration-ended': 'Follows `vm.migrated` and `vm.migration-failed`; `cancelled` where it was called off before it began.',
  'vm.lifecycle': 'A hypervisor (`platform: libvirt`) says it, by a lifecycle event of libvirt.',
  'source.gap': 'Offbox says it of its own sources.',
};

/** The comment above each field of each meaning, and above each selector. */
function fieldComments(): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  let [owner, above] = ['', ''];
  for (const line of read('src/model/meaning.ts').split('\n')) {
    owner = /kind: z\.literal\('([^']+)'\)/.exec(line)?.[1] ?? (line.startsWith('const migrationShape') ? 'migration' : owner);
    const field = /^ +(\w+): (?:z\.|\w+Schema)/.exec(line)?.[1];
    if (field !== undefined && above !== '') comments.set(`${owner} ${field}`, above);
    above = /^ +\/\*\* (.*) \*\/$/.exec(line)?.[1] ?? '';
  }
  return comments;
}

const commented = fieldComments();
/** Of these the same is true wherever they are. */
const alike = { interface: 'hsrp.state-changed', ifIndex: 'hsrp.state-changed', vm: 'migration', uuid: 'migration' } as const;

function commentOf(kind: MeaningKind, name: string): string {
  const other = name in alike ? alike[name as keyof typeof alike] : undefined;
  return (
    commented.get(`${kind} ${name}`) ??
    (kind.startsWith('vm.') ? commented.get(`migration ${name}`) : undefined) ??
    (other ? commented.get(`${other} ${name}`) : undefined) ??
    ''
  );
}

function selectorComments(): ReadonlyMap<string, string> {
  const form = /\/\*\* ([^\n]*) \*\/\n *(?:export const \w+ = \{ )?\w+: \w+\('[^']+', '([\w.]+\(\))'\)/g;
  return new Map([...read('src/core/selectors.ts').matchAll(form)].map(([, comment = '', call = '']) => [call, comment]));
}

const row = (...cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
const code = (text: string): string => `\`${text}\``;

function holds({ form, words: values }: MeaningField): string {
  if (form === 'word') return values.map(code).join(', ');
  if (form === 'list' || form === 'parts') return `${form}, in the event only`;
  return form;
}

function fieldTable(kind: MeaningKind): string {
  const rows = meaningFields
    .get(kind)!
    .map((field) => row(code(field.name) + (field.optional ? '?' : ''), holds(field), commentOf(kind, field.name)));
  return table(['Field', 'Holds', ''], rows);
}

interface Recorded {
  readonly folder: string;
  readonly name: string;
  readonly line: string;
  readonly fields: SyslogFields;
}

const recorded: readonly Recorded[] = foldersOf('test/fixtures/syslog').flatMap((folder) =>
  foldersOf('test/fixtures/syslog', folder).map((name) => {
    const line = read('test/fixtures/syslog', folder, name, 'message.txt').trimEnd();
    return { folder, name, line, fields: parseSyslog(line).fields };
  }),
);

/** Lines that are there for what is odd about them. */
const odd = /^header-|-lying-|-repeated|-as-received/;

/** The line that says most, and it shortly, of those this reading understands; its own platform's before another's. */
function exampleOf(
  reading: SyslogReading,
  platforms: readonly string[],
): (Recorded & { readonly kind: MeaningKind }) | undefined {
  const found = recorded.flatMap((one) => {
    const { mnemonic, app, text } = one.fields;
    const match = (mnemonic ?? app) === reading.on ? reading.pattern.exec(text) : null;
    const meaning = match && reading.meaning(match.groups ?? {});
    return meaning ? [{ ...one, kind: meaning.kind, says: Object.keys(meaning).length }] : [];
  });
  const rank = ({ folder, name, line, says }: (typeof found)[number]): number =>
    (platforms.includes(folder) ? 0 : 1e6) + (odd.test(name) ? 1e5 : 0) - says * 1e3 + line.length;
  return found.sort((a, b) => rank(a) - rank(b))[0];
}

interface Said {
  readonly platforms: readonly string[];
  readonly on: string;
  readonly kind: MeaningKind | undefined;
  readonly example: Recorded | undefined;
  readonly meaning: SyslogReading['meaning'];
}

/** Every message that is understood, with a line of it where one is recorded. */
export const said: readonly Said[] = [...new Set(Object.values(syslogReadings).flat())].map((reading) => {
  const platforms = Object.entries(syslogReadings).flatMap(([platform, list]) => (list.includes(reading) ? [platform] : []));
  const example = exampleOf(reading, platforms);
  return { platforms, on: reading.on, kind: example?.kind, example, meaning: reading.meaning };
});

/** What is made by the same words is of the same kind. */
export const kindOf = ({ kind, meaning }: Said): MeaningKind | undefined =>
  kind ?? said.find((other) => other.meaning === meaning && other.kind)?.kind;

interface Notified {
  readonly name: string;
  readonly oid: string;
  readonly kind: MeaningKind;
}

const notified: readonly Notified[] = foldersOf('test/fixtures/traps').flatMap((folder) => {
  const { name, oid, meaning } = JSON.parse(read('test/fixtures/traps', folder, 'event.json'));
  return meaning ? [{ name, oid, kind: meaning.kind }] : [];
});

const weak = 'a line such as this was not seen on a device yet: ';

function sources(kind: MeaningKind): string {
  const lines = said
    .filter((one) => kindOf(one) === kind)
    .map(({ platforms, on, example }) => {
      const text = example ? `${/weak/.test(example.name) ? weak : ''}${code(example.line)}` : 'no line of it is recorded yet';
      return row(platforms.join(', '), code(on), text);
    });
  const oids = Map.groupBy(
    notified.filter((one) => one.kind === kind),
    ({ name }) => name,
  );
  const traps = [...oids].map(([name, all]) =>
    row('agents, over SNMP', code(name), [...new Set(all.map(({ oid }) => code(oid)))].sort().join(', ')),
  );
  return [
    ...(givenBy[kind] ? [givenBy[kind]] : []),
    ...(lines.length + traps.length > 0 ? [table(['Said by', 'Message', 'For example'], [...lines, ...traps])] : []),
  ].join('\n\n');
}

/** A section a meaning that has a selector, then those that have none. */
export function meaningSections(): string {
  const comments = selectorComments();
  const byKind = Map.groupBy(selectors, ({ made }) => made.name as MeaningKind);
  const sections = [...meaningFields.keys()].flatMap((kind) => {
    const calls = byKind.get(kind);
    if (!calls) return [];
    const subject = meaningSubjects[kind].map(code).join(', ');
    return [
      `### ${kind}`,
      calls.map(({ call }) => `- ${code(call)}: ${comments.get(call) ?? ''}`).join('\n'),
      `Without a \`key\`, what belongs together has the same ${subject}.`,
      fieldTable(kind),
      sources(kind),
    ];
  });
  const unheard = [...meaningFields.keys()].filter((kind) => !byKind.has(kind)).map(code);
  return [
    ...sections,
    '### What no selector gives',
    `Offbox itself listens to ${unheard.join(', ')}: you meet them in \`npx offbox show events\`, and the meanings of migrations are made of them.`,
  ].join('\n\n');
}
