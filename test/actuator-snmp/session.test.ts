// The SNMP actuator against agents on loopback: what is asked, how often, and what is made of every kind of answer.
import { describe, expect, onTestFinished, test } from 'vitest';
import { snmpActuator } from '../../adapters/actuator-snmp/index.ts';
import { snmpAnswerMs, snmpAsksMax, snmpRepetitions, snmpWalkRowsMax } from '../../src/model/limits.ts';
import type { Target } from '../../src/model/target.ts';
import type { Session } from '../../src/ports/actuator.ts';
import { handWall } from '../source-snmp/kit.ts';
import {
  type Asked,
  account,
  communityAgent,
  engineId,
  octets,
  type Play,
  report,
  responsePdu,
  sealed,
  targetOf,
  userAgent,
  write,
} from './agent.ts';

const never = new AbortController().signal;
const secrets = async (reference: object): Promise<string> => ('env' in reference ? String(reference.env) : '');

async function opened(target: Target, wall = handWall()): Promise<Session> {
  const session = await snmpActuator({ wall, secrets }).open('sw1', target, never);
  onTestFinished(() => session.close());
  return session;
}

const column = '1.3.6.1.2.1.31.1.1.1.1';
const set = { kind: 'snmp-set', oid: '1.3.6.1.4.1.9.9.315.1.2.3.1.5.9.82.84.0.170.187.2.10', integer: 6 } as const;
const walk = { kind: 'snmp-walk', below: column } as const;

/** A table of so many rows, by GetBulk. */
const table =
  (rows: number): Play =>
  ({ oids }) => {
    const from = oids[0] === column ? 1 : Number(oids[0]!.split('.').at(-1)) + 1;
    const to = Math.min(rows, from + snmpRepetitions - 1);
    const some = Array.from(
      { length: Math.max(0, to - from + 1) },
      (_, i) => [`${column}.${from + i}`, `Gi${from + i}`] as const,
    );
    return { rows: to === rows ? [...some, ['1.3.6.1.2.1.31.1.1.1.2.1', 7]] : some };
  };

describe('what is read', () => {
  test('instances that are there, as numbers, text or hex', async () => {
    const rows = [
      ['1.3.6.1.4.1.1.1', 2],
      ['1.3.6.1.4.1.1.2', 'Gi1/0/1'],
      ['1.3.6.1.4.1.1.3', '\u0001\u0002'],
      ['1.3.6.1.4.1.1.4', 'noSuchInstance'],
      ['1.3.6.1.4.1.1.5', 'noSuchObject'],
    ] as const;
    const { target, asked } = await communityAgent(() => ({ rows: [...rows, ['1.3.6.1.4.1.666.1', 1]] }));
    const oids = rows.map(([oid]) => oid);
    const { text } = await (await opened(target)).run({ kind: 'snmp-get', oids }, never);
    expect(JSON.parse(text)).toEqual([
      { oid: '1.3.6.1.4.1.1.1', value: 2 },
      { oid: '1.3.6.1.4.1.1.2', value: 'Gi1/0/1' },
      { oid: '1.3.6.1.4.1.1.3', value: '0x0102' },
    ]);
    expect(asked).toMatchObject([{ kind: 'get', oids }]);
  });

  test.each([0, 1, snmpRepetitions, 3 * snmpRepetitions + 1])(
    'a table of %i rows, all of it and nothing behind it',
    async (size) => {
      const { target } = await communityAgent(table(size));
      const { text } = await (await opened(target)).run(walk, never);
      const rows = JSON.parse(text) as { oid: string; value: string }[];
      expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: size }, (_, i) => `Gi${i + 1}`));
    },
  );

  test.each(['endOfMibView', 'noSuchInstance', 'noSuchObject'] as const)('a table that ends in %s', async (end) => {
    const { target } = await communityAgent(({ oids }) => ({
      rows: [
        [`${column}.1`, 'Gi1'],
        [oids[0]!, end],
      ],
    }));
    expect(JSON.parse((await (await opened(target)).run(walk, never)).text)).toHaveLength(1);
  });

  test('fewer rows at once where the agent finds it too much', async () => {
    const { target, asked } = await communityAgent((one, times) => (times < 3 ? { status: 1 } : table(1)(one, times)));
    expect(JSON.parse((await (await opened(target)).run(walk, never)).text)).toHaveLength(1);
    expect(asked).toHaveLength(3);
  });

  test('a question that is lost is asked again, and the late answer to the first one counts', async () => {
    const wall = handWall();
    let first = 0;
    const { target, asked } = await communityAgent(({ id, oids }, times) => {
      if (times === 1) {
        first = id;
        wall.advance(snmpAnswerMs);
        return undefined;
      }
      return { id: first, rows: [[oids[0]!, 5]] };
    });
    const { text } = await (await opened(target, wall)).run({ kind: 'snmp-get', oids: [`${column}.1`] }, never);
    expect(JSON.parse(text)).toEqual([{ oid: `${column}.1`, value: 5 }]);
    expect(asked).toHaveLength(2);
  });
});

describe('an agent with a fault', () => {
  test.each([
    ['the same row over and over', () => ({ rows: [[`${column}.1`, 'Gi1']] })],
    [
      'rows that go back',
      () => ({
        rows: [
          [`${column}.2`, 'Gi2'],
          [`${column}.1`, 'Gi1'],
        ],
      }),
    ],
    ['the row that was asked from', ({ oids }) => ({ rows: [[oids[0]!, 'Gi1']] })],
    ['something before the table', () => ({ rows: [['1.3.6.1.2.1.1.1.0', 'IOS']] })],
    ['nothing', () => ({ rows: [] })],
    ['a table without end', ({ oids }) => ({ rows: [[`${column}.${Number(oids[0]!.split('.').at(-1)) + 1}`, 1]] })],
    [
      'a table without end and without values',
      ({ oids }) => {
        const from = Number(oids[0]!.split('.').at(-1));
        return { rows: Array.from({ length: 2_000 }, (_, i) => [`${column}.${from + i + 1}`, ''] as const) };
      },
    ],
  ] as [string, Play][])(
    'that answers a walk with %s is told of, and asked on',
    async (_what, play) => {
      const { target, asked } = await communityAgent((one, times) =>
        one.kind === 'get' ? { rows: [[one.oids[0]!, 1]] } : play(one, times),
      );
      const session = await opened(target);
      await expect(session.run(walk, never)).rejects.toMatchObject({ code: 'unreadable', retry: false });
      expect(asked.length).toBeLessThanOrEqual(snmpWalkRowsMax + 1);
      expect((await session.run({ kind: 'snmp-get', oids: ['1.3.6.1.9'] }, never)).text).toContain('"value":1');
    },
    30_000,
  );

  test.each([
    ['noise', () => Buffer.from('not SNMP at all')],
    ['half an answer', ({ id }) => octets(id, { rows: [[column, 1]] }).subarray(0, 20)],
    ['an answer to something else', ({ id }) => octets((id % 0x7fff_fffe) + 1, { rows: [[column, 1]] })],
    ["an answer in somebody else's community", ({ id }) => octets(id, { rows: [[column, 1]] }, 'public')],
    ['the longest datagram there is', () => Buffer.alloc(65_507, 0x30)],
  ] as [string, (asked: Asked) => Buffer][])('that answers with %s has not answered yet', async (_what, wrong) => {
    const { target } = await communityAgent((one) => [wrong(one), octets(one.id, { rows: [[column, 2]] })]);
    const { text } = await (await opened(target)).run({ kind: 'snmp-get', oids: [column] }, never);
    expect(JSON.parse(text)).toEqual([{ oid: column, value: 2 }]);
  });

  test('that answers with noise alone is said to', async () => {
    const wall = handWall();
    const { target } = await communityAgent(() => {
      // Behind the datagram: that of the first time has come when the third is sent.
      setImmediate(() => wall.advance(snmpAnswerMs));
      return [Buffer.from('noise')];
    });
    const session = await opened(target, wall);
    await expect(session.run({ kind: 'snmp-get', oids: [column] }, never)).rejects.toThrow(
      /did not answer while being read \(\d datagrams came that are no authentic SNMP answers\)/,
    );
    await session.closed;
  });

  test('and an agent that is silent is asked so often and no more', async () => {
    const wall = handWall();
    const { target, asked } = await communityAgent(() => void wall.advance(snmpAnswerMs));
    const session = await opened(target, wall);
    await expect(session.run(walk, never)).rejects.toThrow(/did not answer while being walked/);
    expect(asked).toHaveLength(snmpAsksMax);
    await session.closed;
    await expect(session.run(walk, never)).rejects.toMatchObject({ retry: true });
  });
});

describe('what is set', () => {
  test('is set once, as an INTEGER', async () => {
    const { target, asked } = await communityAgent(({ oids }) => ({ rows: [[oids[0]!, 6]] }));
    expect(await (await opened(target)).run(set, never)).toEqual({ text: '' });
    expect(asked).toMatchObject([{ kind: 'set', oids: [set.oid], values: [6] }]);
  });

  test('is not sent again where the answer is lost: the session ends, and reading must tell', async () => {
    const wall = handWall();
    const { target, asked } = await communityAgent(() => void wall.advance(snmpAnswerMs * snmpAsksMax));
    const session = await opened(target, wall);
    await expect(session.run(set, never)).rejects.toMatchObject({ code: 'connection-lost', retry: true });
    expect(asked).toHaveLength(1);
    await session.closed;
  });

  test('is not sent again where the deadline passes', async () => {
    const deadline = new AbortController();
    const { target, asked } = await communityAgent(() => void deadline.abort(new Error('too late')));
    const session = await opened(target);
    await expect(session.run(set, deadline.signal)).rejects.toMatchObject({ code: 'aborted', retry: true });
    expect(asked).toHaveLength(1);
    await session.closed;
  });

  test.each([
    [2, 'noSuchName'],
    [5, 'genErr'],
    [6, 'noAccess'],
    [12, 'inconsistentValue'],
    [17, 'notWritable'],
    [99, 'error 99'],
  ])('and refused with error-status %i is a no, with the way out named', async (status, word) => {
    const { target } = await communityAgent(({ oids }) => ({ status, rows: [[oids[0]!, 6]] }));
    const session = await opened(target);
    await expect(session.run(set, never)).rejects.toMatchObject({
      code: 'snmp-refused',
      retry: false,
      message: expect.stringMatching(new RegExp(`^\\[actuator-snmp\\] sw1 answered ${word} to a set of .* cli section`)),
    });
    await expect(session.run(set, never)).rejects.toMatchObject({ code: 'snmp-refused' });
  });
});

describe('as an SNMPv3 user', () => {
  test('the engine is found, and everything is asked with authentication and privacy', async () => {
    const { target, asked } = await userAgent(({ oids }, _times, seal) => [seal({ rows: [[oids[0]!, 6]] })]);
    expect(await (await opened(target)).run(set, never)).toEqual({ text: '' });
    expect(asked).toMatchObject([{ kind: 'set', values: [6] }]);
  });

  test.each([
    ['user', { ...write, user: 'stranger' }, 'unknown-user'],
    ['auth key', { ...write, auth: { protocol: 'sha256', key: { env: 'anotherpass' } } }, 'wrong-digest'],
    ['auth protocol', { ...write, auth: { protocol: 'sha', key: { env: 'authpass12345' } } }, 'wrong-digest'],
    ['priv key', { ...write, priv: { protocol: 'aes128', key: { env: 'anotherpass' } } }, 'decryption-error'],
  ])('a wrong %s is told when the session opens', async (_what, credentials, code) => {
    const { port } = await userAgent(() => []);
    await expect(opened(targetOf(port, credentials))).rejects.toMatchObject({ code, retry: false });
  });

  test('a key that RFC 3414 finds too short is refused before anything is sent', async () => {
    const short = { ...write, auth: { protocol: 'sha256', key: { env: 'short' } } };
    await expect(opened(targetOf(9, short))).rejects.toMatchObject({ code: 'snmp-user' });
  });

  test('an engine that is not the one of the inventory is not written to', async () => {
    const { port } = await userAgent(() => []);
    await opened(targetOf(port, write, engineId.toUpperCase()));
    await expect(opened(targetOf(port, write, '80000009030000aabbccddff'))).rejects.toMatchObject({
      code: 'engine-mismatch',
      retry: false,
    });
  });

  test('a reading goes on after the agent has started anew; what is set does not', async () => {
    const { target, asked, clock } = await userAgent(({ oids }, _times, seal) => [seal({ rows: [[oids[0]!, 6]] })]);
    const session = await opened(target);
    Object.assign(clock, { boots: clock.boots + 1, time: 3 });
    expect((await session.run({ kind: 'snmp-get', oids: [column] }, never)).text).toContain('"value":6');
    Object.assign(clock, { boots: clock.boots + 1, time: 3 });
    await expect(session.run(set, never)).rejects.toMatchObject({ code: 'not-in-time-window', retry: true });
    expect(asked.map(({ kind }) => kind)).toEqual(['get']);
    await session.closed;
  });

  const clock = { boots: 3, time: 5_000 };
  const old = { boots: 2, time: 9_000 };
  test.each([
    ['in the clear', (id: number) => sealed(responsePdu(id, {}), id, clock, { level: 'noAuthNoPriv' })],
    ['without privacy', (id: number) => sealed(responsePdu(id, {}), id, clock, { level: 'authNoPriv' })],
    [
      'under another key',
      (id: number) =>
        sealed(responsePdu(id, {}), id, clock, { user: { ...account, auth: { protocol: 'sha256', key: 'anotherpass' } } }),
    ],
    ['of another engine', (id: number) => sealed(responsePdu(id, {}), id, clock, { engine: '80000009030000aabbccddff' })],
    ['from before its last start', (id: number) => sealed(responsePdu(id, {}), id, old)],
    ['from long ago', (id: number) => sealed(responsePdu(id, {}), id, { ...clock, time: 4_000 })],
    ['over SNMPv2c', (id: number) => octets(id, {})],
    ['with another request id inside', (id: number) => sealed(responsePdu(id + 1, {}), id, clock)],
    ['that is a report of nothing known', (id: number) => sealed(report(id + 1, 9), id + 1, clock)],
  ])('an answer %s is none', async (_what, forged) => {
    const { target } = await userAgent(({ id }, _times, seal) => [forged(id), seal({ rows: [[column, 2]] })]);
    const { text } = await (await opened(target)).run({ kind: 'snmp-get', oids: [column] }, never);
    expect(JSON.parse(text)).toEqual([{ oid: column, value: 2 }]);
  });

  test('a report in the clear ends the session: it may be forged, so nothing is believed of what was set', async () => {
    const { target } = await userAgent(({ id }) => [sealed(report(id, 5), id, clock, { level: 'noAuthNoPriv' })]);
    const session = await opened(target);
    await expect(session.run(set, never)).rejects.toMatchObject({ code: 'wrong-digest', retry: true });
    await session.closed;
  });
});

test('nobody listening is told at once', async () => {
  // tcpmux, which nobody has over UDP.
  await expect(opened(targetOf(1, { community: { env: 'secret' } }))).rejects.toMatchObject({
    code: 'connection-lost',
    retry: true,
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a command of another transport is a mistake of ours', async () => {
  const { target } = await communityAgent(() => ({}));
  await expect((await opened(target)).run({ kind: 'cli', line: 'show clock' }, never)).rejects.toMatchObject({
    code: 'bad-command',
  });
});

test('a target without write access has no session', async () => {
  const target: Target = { platform: 'cisco-ios', address: '127.0.0.1', snmp: { port: 161 } };
  await expect(opened(target)).rejects.toMatchObject({ code: 'no-snmp' });
});
