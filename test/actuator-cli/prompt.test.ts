// The prompt engine, fed by hand.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { promptEngine, type Seen } from '../../adapters/actuator-cli/prompt.ts';
import { iosDialect } from '../../adapters/platforms/cisco-ios/cli.ts';
import { frrDialect } from '../../adapters/platforms/frr/cli.ts';
import { platforms } from '../../adapters/platforms/index.ts';

const limit = 10_000;

/** An engine that has logged in to edge1 and was sent `typed`. */
function asked(typed = 'show clock', dialect = iosDialect) {
  const engine = promptEngine(dialect, limit);
  engine.feed(Buffer.from('edge1#'));
  engine.learn('edge1');
  engine.sending(typed);
  return {
    engine,
    feed: (text: string): Seen => engine.feed(Buffer.from(text)),
    /** The last thing seen that was not output. */
    each(text: string): Seen {
      let last: Seen = { kind: 'output' };
      for (const byte of Buffer.from(text)) {
        const seen = engine.feed(Buffer.from([byte]));
        if (seen.kind !== 'output') last = seen;
      }
      return last;
    },
  };
}

test('the first prompt is seen without anything sent', () => {
  const seen = promptEngine(iosDialect, limit).feed(Buffer.from('Welcome\r\n\r\nedge1>'));
  expect(seen).toMatchObject({ kind: 'prompt', prompt: { host: 'edge1', privileged: false, mode: undefined } });
});

test('echo and prompt are cut off', () => {
  expect(asked().feed('show clock\r\n03:14\r\nedge1#')).toMatchObject({ kind: 'prompt', lines: ['03:14'] });
});

test('an echo behind a redrawn prompt is cut off', () => {
  expect(asked().feed('\redge1#show clock\r\n03:14\r\nedge1#')).toMatchObject({ kind: 'prompt', lines: ['03:14'] });
});

test('a prompt before the echo belongs to the last command', () => {
  const { feed } = asked();
  expect(feed('\r\nedge1#')).toEqual({ kind: 'output' });
  expect(feed('show clock\r\n03:14\r\nedge1#')).toMatchObject({ kind: 'prompt', lines: ['03:14'] });
});

test('half a prompt is not one', () => {
  const { feed } = asked();
  expect(feed('show clock\r\n03:14\r\nedge1')).toEqual({ kind: 'output' });
  expect(feed('#')).toMatchObject({ kind: 'prompt' });
});

test('the prompt of another host is output', () => {
  const { each } = asked('more banner');
  expect(each('more banner\r\nedge2#\r\ncore-1(config)#\r\nedge1#')).toMatchObject({
    kind: 'prompt',
    lines: ['edge2#', 'core-1(config)#'],
  });
});

test('a prompt with something before or behind it is output', () => {
  const { feed } = asked();
  expect(feed('show clock\r\n edge1#')).toEqual({ kind: 'output' });
  expect(feed('\r\nedge1# x')).toEqual({ kind: 'output' });
});

test('a configuration prompt names its mode, also with a shortened host', () => {
  const engine = promptEngine(iosDialect, limit);
  engine.learn('a-very-long-host-name-indeed');
  engine.sending('router bgp 1');
  expect(engine.feed(Buffer.from('router bgp 1\r\na-very-long-host-nam(config-router)#'))).toMatchObject({
    kind: 'prompt',
    prompt: { mode: 'config-router' },
  });
});

test('a full screen is paged on, and its mark leaves no trace', () => {
  const { feed } = asked();
  expect(feed('show clock\r\none\r\n --More-- ')).toEqual({ kind: 'pager', key: ' ' });
  const wipe = `${'\b'.repeat(10)}${' '.repeat(10)}${'\b'.repeat(10)}`;
  expect(feed(`${wipe}two\r\nedge1#`)).toMatchObject({ kind: 'prompt', lines: ['one', 'two'] });
});

test('a password prompt is told apart', () => {
  expect(asked('enable').feed('enable\r\nPassword: ')).toEqual({ kind: 'password' });
});

test('an answer beyond the bound is cut off', () => {
  const { feed } = asked();
  feed('show clock\r\n');
  expect(feed('x'.repeat(limit))).toMatchObject({ kind: 'too-long' });
});

test('what comes when nothing was asked is noticed', () => {
  const { engine, feed } = asked();
  feed('show clock\r\nedge1#');
  expect(engine.strayed()).toBe(false);
  feed('\r\n%SYS-5-CONFIG_I: Configured from console\r\nedge1#');
  expect(engine.strayed()).toBe(true);
});

test('an unfinished line of any length costs a constant to look at', () => {
  // Looking at the whole line after each byte would be 10^12 steps: the test would not end.
  const engine = promptEngine(iosDialect, 2_000_000);
  engine.sending('x');
  engine.feed(Buffer.from('x\r\n'));
  const one = Buffer.from('y');
  for (let count = 0; count < 1_000_000; count++) engine.feed(one);
  expect(engine.feed(Buffer.from('\r\nedge1#'))).toMatchObject({ kind: 'prompt' });
});

test('fed whole or a byte at a time the answer is the same', () => {
  const line = fc.stringMatching(/^[a-z ()#>%:.-]{0,30}$/).filter((text) => !text.trimStart().startsWith('edge1'));
  const password = (text: string) => iosDialect.passwordPrompt.test(text) || iosDialect.pager.pattern.test(text);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      fc.pre(!lines.some((text) => password(text) || password(`${text} `)));
      const text = `show clock\r\n${lines.map((each) => `${each}\r\n`).join('')}edge1#`;
      expect(asked().each(text)).toEqual(asked().feed(text));
    }),
    { numRuns: 1_000 },
  );
});

test('no bytes make it throw, on any platform', () => {
  const dialects = Object.values(platforms).flatMap(({ cli }) => (cli ? [cli] : []));
  const pieces = fc.constantFrom(
    'edge1#',
    'show clock\r\n',
    ' --More-- ',
    '\r\n',
    '\x1b[7m',
    '\b',
    'Password: ',
    '% Invalid input',
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...dialects, frrDialect),
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          pieces.map((text) => Buffer.from(text)),
        ),
        { maxLength: 30 },
      ),
      (dialect, chunks) => {
        const { engine } = asked('show clock', dialect);
        for (const chunk of chunks) engine.feed(chunk);
        expect(engine.lastLine().length).toBeLessThanOrEqual(160);
      },
    ),
    { numRuns: 2_000 },
  );
});

test.each(Object.entries(platforms))('the patterns of %s answer hostile lines at once', (_name, { cli }) => {
  if (!cli) return;
  const hostile = [
    'a'.repeat(100_000),
    ' '.repeat(100_000),
    '-'.repeat(100_000),
    `% ${'x '.repeat(50_000)}`,
    'a.'.repeat(50_000),
    '('.repeat(100_000),
  ];
  const patterns = [cli.prompt, cli.passwordPrompt, cli.pager.pattern, ...cli.failures];
  // A pattern that tries again from every place would need 10^10 steps a line.
  for (const pattern of patterns) for (const line of hostile) pattern.test(line);
  expect(patterns.some(({ global, sticky }) => global || sticky)).toBe(false);
});
