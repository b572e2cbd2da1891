// The edit as a transaction, told as the operations that go over the wire.
import { expect, test } from 'vitest';
import { applyEdit, type Edit, outline } from '../../adapters/actuator-netconf/edit.ts';
import { TargetError } from '../../src/model/errors.ts';

const config = '<native xmlns="n"><router><bgp xmlns="b"><id>1</id></bgp></router></native>';
const capability = (name: string) => (name.startsWith('http') ? name : `urn:ietf:params:netconf:capability:${name}`);
const full = ['candidate:1.0', 'validate:1.1', 'confirmed-commit:1.1', 'rollback-on-error:1.0'];

interface Told {
  readonly operations: readonly string[];
  readonly error: unknown;
}

/** Runs an edit against a target that answers `answers` by operation, or refuses it where the answer is an error. */
async function edit(
  names: readonly string[],
  answers: Readonly<Record<string, string | Error>> = {},
  confirm: Edit['confirm'] = 'on-loss',
): Promise<Told> {
  const operations: string[] = [];
  const rpc: Edit['rpc'] = async (operation) => {
    const short = shorten(operation);
    operations.push(short);
    const answer = answers[short] ?? '<ok/>';
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const capabilities = new Set(names.map(capability));
  const error = await applyEdit({
    config,
    confirm,
    place: '[actuator-netconf] edge1',
    capabilities,
    rpc,
    wait: async () => void operations.push('wait'),
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { operations, error };
}

/** `<lock><target><candidate/></target></lock>` → `lock candidate`. */
function shorten(operation: string): string {
  const name = /^<([\w-]+)/.exec(operation)![1]!;
  const datastore = /<(?:target|source)><([\w-]+)\/>/.exec(operation)?.[1];
  const confirmed = operation.includes('<confirmed/>') ? 'confirmed' : undefined;
  return [name, datastore ?? confirmed].filter(Boolean).join(' ');
}

function no(code = 'rpc-error'): TargetError {
  return new TargetError('edge1 refused', { code, retry: false, remedy: 'Look.' });
}

const begin = ['lock candidate', 'lock running', 'get-config candidate', 'get-config running', 'edit-config candidate'];
const unlock = ['unlock running', 'unlock candidate'];

test('a target that has everything: locked, compared, edited, validated, committed, confirmed, unlocked', async () => {
  const { operations, error } = await edit(full);
  expect(error).toBeUndefined();
  expect(operations).toEqual([...begin, 'validate candidate', 'commit confirmed', 'commit', ...unlock]);
});

test('what is never to be taken back is committed plainly', async () => {
  expect((await edit(full, {}, 'never')).operations).toEqual([...begin, 'validate candidate', 'commit', ...unlock]);
});

test('without :validate and :confirmed-commit it goes without them', async () => {
  expect((await edit(['candidate:1.0'])).operations).toEqual([...begin, 'commit', ...unlock]);
});

test('netconfd is not asked to validate apart: its commit would do nothing', async () => {
  const { operations } = await edit([...full, 'http://yuma123.org/ns/yuma123-system?module=yuma123-system'], {}, 'never');
  expect(operations).toEqual([...begin, 'commit', ...unlock]);
});

test('a candidate whose lock is refused because it is modified is the work of others', async () => {
  const { operations, error } = await edit(full, { 'lock candidate': no('resource-denied') });
  expect(error).toMatchObject({ code: 'candidate-dirty', retry: false });
  expect(operations).toEqual(['lock candidate']);
});

test('without a candidate running is edited straight', async () => {
  expect((await edit(['writable-running:1.0'])).operations).toEqual(['edit-config running']);
});

test('a target that takes no configuration is told as that', async () => {
  expect(await edit([])).toMatchObject({ operations: [], error: { code: 'not-writable', retry: false } });
});

test('a lock that is held is tried for some seconds, and the other is given back', async () => {
  const { operations, error } = await edit(full, { 'lock running': no('lock-denied') });
  expect(error).toMatchObject({ code: 'lock-denied', retry: false });
  const tries = Array.from({ length: 9 }, () => ['lock running', 'wait']).flat();
  expect(operations).toEqual(['lock candidate', ...tries, 'lock running', 'unlock candidate']);
});

test('a candidate with the work of others is neither committed nor discarded', async () => {
  const { operations, error } = await edit(full, { 'get-config candidate': '<native><router><bgp/></router></native>' });
  expect(error).toMatchObject({ code: 'candidate-dirty', retry: false });
  expect(operations).toEqual([...begin.slice(0, 4), ...unlock]);
});

test.each([
  ['the edit', 'edit-config candidate', begin],
  ['the validation', 'validate candidate', [...begin, 'validate candidate']],
  ['the commit', 'commit confirmed', [...begin, 'validate candidate', 'commit confirmed']],
])('where %s is refused the candidate is discarded and unlocked', async (_name, operation, before) => {
  const { operations, error } = await edit(full, { [operation]: no() });
  expect(error).toMatchObject({ code: 'rpc-error' });
  expect(operations).toEqual([...before, 'discard-changes', ...unlock]);
});

test('a commit that cannot be confirmed is cancelled at once', async () => {
  const { operations } = await edit(full, { commit: no() });
  expect(operations.slice(-4)).toEqual(['cancel-commit', 'discard-changes', ...unlock]);
});

test('a candidate that cannot be discarded is told too', async () => {
  const { error } = await edit(full, { 'validate candidate': no(), 'discard-changes': no() });
  expect((error as Error).message).toContain('could not be discarded');
});

test('an unlock that is refused hides nothing', async () => {
  const { error } = await edit(full, {
    'validate candidate': no(),
    'unlock running': new Error('gone'),
    'unlock candidate': new Error('gone'),
  });
  expect(error).toMatchObject({ code: 'rpc-error' });
  expect((await edit(full, { 'unlock candidate': new Error('gone') })).error).toBeUndefined();
});

test.each([
  [config, '<native xmlns="n"><router/></native>'],
  ['<a><b x="1>2" nc:operation="remove"><c/></b><d/></a><e/>', '<a><b x="1>2"/><d/></a><e/>'],
  ['<a>text</a>', '<a></a>'],
])('the part an edit touches is read by its outline', (edited, filter) => {
  expect(outline(edited)).toBe(filter);
});
