// Every folder below test/fixtures/syslog: a line off the wire, and what we say it means. A new case needs no code here.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { iosSyslog } from '../../adapters/platforms/cisco-ios/syslog.ts';
import { decodeSyslog } from '../../adapters/source-syslog/index.ts';
import { platformNameSchema } from '../../src/model/target.ts';

const root = join(import.meta.dirname, '..', 'fixtures', 'syslog');
const foldersOf = (path: string) => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const cases = foldersOf(root).flatMap(({ name: platform }) =>
  foldersOf(join(root, platform)).map(({ name }) => [platform, name] as const),
);
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd() : '');

describe('a recorded line', () => {
  test.each(cases)('%s/%s decodes to its event', (platform, name) => {
    const folder = join(root, platform, name);
    const message = read(join(folder, 'message.txt'));
    if (message === '') expect.fail(`${folder}/message.txt is missing or empty: put the line there, as it came off the wire`);
    const decoded = JSON.stringify(decodeSyslog(message), null, 2);
    const expected = read(join(folder, 'event.json'));
    if (expected === '') expect.fail(`${folder}/event.json is missing or empty. If this is right, paste it there:\n${decoded}`);
    expect(decoded).toBe(expected);

    const named = platformNameSchema.safeParse(platform);
    if (named.success) expect(JSON.stringify(decodeSyslog(message, named.data), null, 2)).toBe(expected);
  });
});

test('every IOS reading has a recorded line', () => {
  const seen = new Set(cases.map(([platform, name]) => decodeSyslog(read(join(root, platform, name, 'message.txt'))).mnemonic));
  expect(iosSyslog.map(({ on }) => on).filter((on) => !seen.has(on))).toEqual([]);
});
