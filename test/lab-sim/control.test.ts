// The lab's control socket: what `offbox lab …` in another terminal talks to.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labCommand, serveControl } from '../../lab/control.ts';
import { startLab } from '../../lab/index.ts';
import { labVms } from '../../lab/model/hypervisor.ts';
import { labHostKey } from '../../lab/servers/secrets.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { Heard, type TestLab, testLab } from './helpers.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await testLab();
});
afterAll(() => lab.end());

const ask = (verb: string, ...words: readonly string[]) => labCommand(lab.dir, verb, words);

async function raw(bytes: string): Promise<string> {
  const heard = new Heard();
  const socket = createConnection(join(lab.dir, 'lab.sock'));
  socket.on('data', (chunk) => heard.take(chunk));
  socket.on('error', () => {});
  socket.once('close', () => heard.close());
  socket.write(bytes);
  const answer = await heard.until(/\n/);
  socket.destroy();
  return answer;
}

test('every fault can be made and ended', async () => {
  expect(await ask('fail', 'gw-a')).toBe('gw-a has lost its power');
  expect(lab.lab.roles()['gw-a']).toBe('off');
  expect(await ask('restore', 'gw-a')).toBe('gw-a is up again');
  expect(await ask('reload', 'gw-b', 'stale')).toContain('stale network statement');
  await lab.lab.when(() => lab.lab.external().length === 1);
  expect(await ask('external')).toEqual([{ prefix: '23.0.0.0/8', via: ['gw-b'] }]);
  expect(await ask('flap', 'gw-b', '2', '1')).toContain('2 times');
  for (const verb of ['split', 'silence', 'hang', 'link-down']) await ask(verb, 'gw-b');
  const state = (await ask('state')) as { gateways: readonly { gateway: string; faults: readonly string[] }[] };
  expect(state.gateways.find(({ gateway }) => gateway === 'gw-b')?.faults.toSorted()).toEqual([
    'hang',
    'link-down',
    'silence',
    'split',
  ]);
  await ask('heal');
  await ask('link-up', 'gw-b');
  await ask('restore', 'gw-b');
  expect(lab.lab.state().gateways.map(({ faults }) => faults)).toEqual([[], []]);
});

test('a switch fails, hangs, is unreachable, and is restored', async () => {
  type Seen = { switches: readonly { switch: string; power: string; faults: readonly string[] }[] };
  const seen = async () => ((await ask('state')) as Seen).switches.map(({ power, faults }) => [power, ...faults].join(' '));
  expect(await ask('unreachable', 'acc-2')).toBe('acc-2 has lost its management network; it forwards as before');
  expect(await ask('hang', 'acc-1')).toBe('acc-1 accepts sessions and says nothing');
  expect(await seen()).toEqual(['on hang', 'on unreachable']);
  await ask('fail', 'acc-1');
  expect(await seen()).toEqual(['off hang', 'on unreachable']);
  for (const name of ['acc-1', 'acc-2']) expect(await ask('restore', name)).toBe(`${name} is up again`);
  expect(await seen()).toEqual(['on', 'on']);
});

test('what is wrong is named, with what there is', async () => {
  await expect(ask('explode', 'gw-a')).rejects.toThrow(
    /"explode" is no verb of the lab. Say one of: fail GATEWAY\|SWITCH, .*external\.$/,
  );
  await expect(ask('constructor')).rejects.toThrow('is no verb');
  await expect(ask('fail')).rejects.toThrow('the gateway or switch is missing. Say one of: gw-a, gw-b, acc-1, acc-2.');
  await expect(ask('fail', 'ext')).rejects.toThrow('"ext" is no gateway');
  await expect(ask('split', 'acc-1')).rejects.toThrow('"acc-1" is no gateway of the lab. Say one of: gw-a, gw-b.');
  await expect(ask('unreachable', 'gw-a')).rejects.toThrow('"gw-a" is no switch of the lab. Say one of: acc-1, acc-2.');
  await expect(ask('fail', 'gw-a', 'now')).rejects.toThrow('"now" is one word too many');
  await expect(ask('flap', 'gw-a', '0')).rejects.toThrow('is not a whole number from 1 to 1000');
  await expect(ask('reload', 'gw-a', 'fresh')).rejects.toMatchObject({ name: 'OperatorError', code: 'usage' });
});

describe('of VMs', () => {
  let withVms: TestLab;
  beforeAll(async () => {
    withVms = await testLab({}, labVms);
  });
  afterAll(() => withVms.end());
  const say = (verb: string, ...words: readonly string[]) => labCommand(withVms.dir, verb, words);

  test('one that is not there is named, with those that are', async () => {
    await expect(say('migrate')).rejects.toThrow('the VM is missing. Say one of: web1, db1, app1.');
    await expect(say('migrate', 'web9', 'kvm2')).rejects.toThrow('"web9" is no VM of the lab. Say one of: web1, db1, app1.');
    await expect(say('abort')).rejects.toThrow('the VM is missing. Say one of: web1, db1, app1.');
    await expect(ask('abort', 'web1')).rejects.toThrow('"web1" is no VM of the lab. There is none.');
  });

  test('what cannot be aborted is told in our words, with what to do', async () => {
    await expect(say('abort', 'web1')).rejects.toThrow(
      'web1 is not being migrated, so nothing is aborted. Begin a migration first, as in `offbox lab migrate web1 --to kvm2`.',
    );
    const moving = say('migrate', 'web1', 'kvm2', 'post-copy');
    const states = () => withVms.lab.state().hypervisors.flatMap(({ vms }) => vms.map(({ state }) => state));
    await expect.poll(states, { timeout: 5_000 }).toContainEqual(expect.stringContaining('postcopy'));
    await expect(say('abort', 'web1')).rejects.toThrow(
      'the migration of web1 cannot be aborted: Requested operation is not valid: cannot abort migration in post-copy mode. Wait until it is over.',
    );
    await moving;
  });
});

test('only what is done is told, before it is done', async () => {
  const told: string[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'lab-told-'));
  const control = await serveControl(dir, lab.lab, realWall, (verb, words) => {
    told.push([verb, ...words, lab.lab.roles()['gw-a']].join(' '));
  });
  for (const [verb, ...words] of [
    ['fail', 'nobody'],
    ['bogus'],
    ['fail'],
    ['hang', 'gw-a', 'now'],
    ['freeze', 'gw-a'],
    ['migrate', 'nobody', 'kvm2'],
    ['abort', 'nobody'],
  ] as const)
    await expect(labCommand(dir, verb!, words)).rejects.toThrow('[lab]');
  expect(told).toEqual([]);
  const role = lab.lab.roles()['gw-a'];
  await labCommand(dir, 'fail', ['gw-a']);
  expect(told).toEqual([`fail gw-a ${role}`]);
  expect(role).not.toBe('off');
  await labCommand(dir, 'restore', ['gw-a']);
  await control.stop();
  rmSync(dir, { recursive: true });
});

test('a request that is none, or too long, is answered so', async () => {
  for (const bad of ['{', '[]', '{"verb":1}', '{"verb":"state","words":[],"more":1}'])
    expect(await raw(`${bad}\n`)).toContain('this is not a request');
  expect(await raw('x'.repeat(10_000))).toContain('longer than 4096 bytes');
  expect(await ask('state')).toBeDefined();
});

test('where no lab runs, that is said', async () => {
  await expect(labCommand(join(lab.dir, 'nowhere'), 'state', [])).rejects.toMatchObject({ code: 'no-lab' });
  await expect(labCommand(`/tmp/${'x'.repeat(120)}`, 'state', [])).rejects.toMatchObject({ code: 'lab-path-too-long' });
});

test('a second lab in the same folder is refused, one that was killed leaves nothing in the way', async () => {
  await expect(startLab({ dir: lab.dir, wall: realWall, net: 222 })).rejects.toMatchObject({ code: 'lab-running' });
  const { dir } = lab;
  await lab.lab.stop();
  writeFileSync(join(dir, 'lab.sock'), '');
  const again = await startLab({ dir, wall: realWall, net: lab.net });
  expect(await labCommand(dir, 'external', [])).toEqual([]);
  lab = { ...lab, lab: again };
});

test('a net number that is none is refused', async () => {
  await expect(startLab({ dir: lab.dir, wall: realWall, net: 256 })).rejects.toThrow('256 is no net number');
});

test('every host key can be read back, though ssh2 makes one in 256 that cannot', () => {
  for (let i = 0; i < 1_000; i++) labHostKey(join(lab.dir, 'keys'), `device-${i}`);
});

test('what is secret is readable by its owner only', () => {
  for (const name of ['password', 'enable-password', 'devices/gw-a.key'])
    expect(statSync(join(lab.dir, name)).mode & 0o777).toBe(0o600);
});
