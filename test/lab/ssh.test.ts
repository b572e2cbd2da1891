// The CLI actuator and the FRR platform against OpenSSH and vtysh on a router of the real network.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cliActuator } from '../../adapters/actuator-cli/index.ts';
import { platforms } from '../../adapters/platforms/index.ts';
import { networkNeeds, whySkipped } from '../../lab/real/available.ts';
import { type RealNetwork, realNetwork } from '../../lab/real/network.ts';
import { nextHop } from '../../lab/real/plan.ts';
import { eventually } from '../../lab/real/process.ts';
import { becomes, bgpUp, routedVia } from '../../lab/real/state.ts';
import type { Desired } from '../../src/model/intent.ts';
import { inventorySchema, type SecretReference, type Target } from '../../src/model/target.ts';
import type { Command, Session } from '../../src/ports/actuator.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import { realWall } from '../../src/runtime/wall.ts';

const why = whySkipped(networkNeeds);
const neverAborted = new AbortController().signal;
const secrets = (reference: SecretReference) => readFile('file' in reference ? reference.file : '', 'utf8');
const actuator = cliActuator({ wall: realWall, secrets, dialectOf: (platform) => platforms[platform]?.cli });
const frr = platforms.frr!;
const network23 = { kind: 'bgp-network', target: 'nx2', prefix: '23.0.0.0/8', vrf: 'default' } as const;
const driver = frr.resources[network23.kind]!;

const label = (command: Command) =>
  command.kind === 'cli' ? command.line : command.kind === 'configure' ? command.lines.join(' / ') : command.kind;

describe.skipIf(why)(`FRR over SSH${why ? ` (skipped: ${why})` : ''}`, () => {
  let network: RealNetwork;
  let target: Target;
  let session: Session;
  const took: string[] = [];

  async function timed(command: Command): Promise<{ readonly text: string }> {
    const from = performance.now();
    const reply = await session.run(command, neverAborted);
    took.push(`${(performance.now() - from).toFixed(1)} ms  ${label(command)} (${reply.text.length} characters)`);
    return reply;
  }

  async function converse<T>(dialogue: Dialogue<T>): Promise<T> {
    let step = dialogue.next();
    while (!step.done) step = dialogue.next(await timed(step.value));
    return step.value;
  }

  const state = () => converse(driver.read(network23, target));

  async function ensure(desired: Desired): Promise<void> {
    const plan = driver.plan(await state(), network23, desired, target);
    expect(plan).toHaveLength(1);
    for (const command of plan) await timed(command);
    const effective = async () => driver.verify(await state(), network23, desired, target).effective;
    await eventually(`effective ${desired}`, effective, { withinMs: 10_000, everyMs: 50 });
    expect(driver.plan(await state(), network23, desired, target)).toEqual([]);
  }

  beforeAll(async () => {
    network = await realNetwork();
    const inventory = inventorySchema.parse(parse(network.inventoryYaml()));
    const { address, cli, ...rest } = inventory.targets.nx2!;
    const port = await network.reach('mgr', { address, port: 22 });
    target = { ...rest, address: '127.0.0.1', cli: { ...cli!, port } };
    await bgpUp(network, nextHop.nx2, nextHop.nx3);
    await becomes(network, 'nx2', 'Master');
    const from = performance.now();
    session = await actuator.open('nx2', target, neverAborted);
    took.push(`${(performance.now() - from).toFixed(1)} ms  login`);
  });
  afterAll(async () => {
    console.log(took.join('\n'));
    await session?.close();
    await network?.down();
  });

  test('reads who is VRRP master', async () => {
    const rows = await converse(frr.queries.fhrp!(target, { about: undefined, protocol: 'vrrp' }));
    expect(rows).toContainEqual(expect.objectContaining({ interface: 'lan', group: 1, family: 'ipv4', role: 'active' }));
    expect(rows.filter(({ role }) => role === 'active')).toHaveLength(1);
  });

  test('advertises the network until it is effective, and the far side has it', async () => {
    await ensure('present');
    await routedVia(network, nextHop.nx2);
  });

  test('reads the same when nothing changed, and plans nothing', async () => {
    expect(driver.plan(await state(), network23, 'present', target)).toEqual([]);
  });

  test('takes it back until that is effective, and the far side has lost it', async () => {
    await ensure('absent');
    await routedVia(network);
  });

  test('says what the router refused, and the session lives on', async () => {
    const refused = session.run({ kind: 'cli', line: 'show nonsense' }, neverAborted);
    await expect(refused).rejects.toMatchObject({ name: 'TargetError', retry: false });
    await expect(refused).rejects.toThrow(/show nonsense.*Unknown command/s);
    expect((await session.run({ kind: 'cli', line: 'show version' }, neverAborted)).text).toMatch(/FRRouting/);
  });

  test('refuses a router whose host key is another', async () => {
    const impostor = { ...target, cli: { ...target.cli!, hostKey: network.folder.router('nx3').hostKey } };
    await expect(actuator.open('nx2', impostor, neverAborted)).rejects.toThrow(/host key/i);
  });

  test('reads nothing of BGP where bgpd is dead, and does not take that for an absent network', async () => {
    await network.killDaemon('nx2', 'bgpd');
    await expect(state()).rejects.toMatchObject({ name: 'TargetError' });
  });

  test('learns that the router ended the session', async () => {
    await network.run('nx2', 'kill -9 $(pidof vtysh)');
    await session.closed;
    const late = session.run({ kind: 'cli', line: 'show version' }, neverAborted);
    await expect(late).rejects.toMatchObject({ name: 'TargetError', retry: true });
  });
});
