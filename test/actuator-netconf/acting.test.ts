// What an edit of an IOS-XE router comes to where somebody else has it locked.
import { expect, test } from 'vitest';
import { applyEdit, type Edit } from '../../adapters/actuator-netconf/edit.ts';
import { ciscoIosxe } from '../../adapters/platforms/cisco-iosxe/index.ts';
import type { EntryBody } from '../../src/model/entry.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { EnsureWant } from '../../src/model/intent.ts';
import { inventorySchema } from '../../src/model/target.ts';
import type { Actuator, Command } from '../../src/ports/actuator.ts';
import { Executor } from '../../src/runtime/executor.ts';
import { modesFrom } from '../../src/runtime/modes.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const start = 1_767_225_600_000;
const access = { user: 'offbox', password: { env: 'RIG' }, hostKey: `SHA256:${'A'.repeat(43)}` };
const inventory = inventorySchema.parse({
  targets: { r1: { platform: 'cisco-iosxe', address: '192.0.2.1', cli: access, netconf: access } },
  gateways: {},
});
const capabilities = new Set(
  ['candidate:1.0', 'validate:1.1', 'confirmed-commit:1.1'].map((name) => `urn:ietf:params:netconf:capability:${name}`),
);
const attachedLlq = '<service-policy><output>LLQ</output></service-policy>';
const shown = (attached: string): string =>
  `<native><policy><policy-map><name>LLQ</name></policy-map></policy><interface><GigabitEthernet><name>1</name>${attached}</GigabitEthernet></interface></native>`;

class Router {
  readonly wall = new VirtualWall(start);
  running = '';
  candidate = '';
  isLocked = false;

  readonly #rpc: Edit['rpc'] = async (operation) => {
    if (operation.startsWith('<lock') && this.isLocked)
      throw new TargetError('r1 refused the lock', { code: 'lock-denied', retry: false, remedy: '-' });
    if (operation.startsWith('<get-config')) return shown(operation.includes('<candidate/>') ? this.candidate : this.running);
    if (operation.startsWith('<edit-config')) this.candidate = attachedLlq;
    else if (operation.startsWith('<commit><confirmed/>')) this.running = this.candidate;
    return '<ok/>';
  };

  actuator(transport: 'cli' | 'netconf'): Actuator {
    const { wall } = this;
    const run = async (command: Command) => {
      await wall.sleep(10);
      if (command.kind === 'cli')
        return { text: this.running ? '  Service-policy output: LLQ\n    Class-map: EF (match-any)' : '' };
      if (command.kind === 'get-config') return { text: shown(this.running) };
      if (command.kind !== 'edit') throw new Error(command.kind);
      const [rpc, wait] = [this.#rpc, (ms: number) => wall.sleep(ms)];
      return { text: await applyEdit({ ...command, place: 'r1', rpc, wait, capabilities }) };
    };
    const open = async () => {
      await wall.sleep(150);
      return { closed: new Promise<void>(() => undefined), close: async () => undefined, run };
    };
    return { transport, open };
  }
}

/** LLQ is wanted at GigabitEthernet1; `meanwhile` what happens then. The outcomes, each with its seconds. */
async function wanted(router: Router, meanwhile: (wall: VirtualWall) => Promise<void>): Promise<readonly string[]> {
  const { wall } = router;
  const told: string[] = [];
  const journal = async (body: EntryBody) => {
    if (body.kind === 'outcome') told.push(`${(wall.now() - start) / 1000} s ${body.outcome.kind}`);
  };
  const executor = new Executor({
    ...{ wall, inventory, journal, actuators: [router.actuator('cli'), router.actuator('netconf')] },
    ...{ platforms: { 'cisco-iosxe': ciscoIosxe }, modes: modesFrom({ default: 'enforce', policies: {}, targets: {} }) },
    ...{ onBack: () => undefined, report: async () => undefined },
  } as never);
  executor.start();
  await wall.advance(1_000);
  const place = { target: 'r1', interface: 'GigabitEthernet1', direction: 'output' } as const;
  const resource = { kind: 'service-policy', ...place, policy: 'LLQ' } as const;
  const want: EnsureWant = { kind: 'ensure', resource, desired: 'present', requires: [], validForMs: 600_000 };
  executor.submit({ id: 'p@v1/1/0', policy: 'p', version: 'v1', cause: 1, key: '', want }, wall.now());
  await meanwhile(wall);
  await wall.advance(300_000);
  return told;
}

test('a candidate that another session has locked for some seconds is tried until it is free', async () => {
  const router = new Router();
  router.isLocked = true;
  const told = await wanted(router, async (wall) => {
    await wall.advance(3_000);
    router.isLocked = false;
  });
  expect(told).toEqual([expect.stringMatching(/^4\.\d+ s done$/)]);
});
