// The CLI actuator against SSH servers on loopback that play devices.
import { afterEach, expect, test } from 'vitest';
import { cliActuator } from '../../adapters/actuator-cli/index.ts';
import { iosDialect } from '../../adapters/platforms/cisco-ios/cli.ts';
import type { Target } from '../../src/model/target.ts';
import type { Session } from '../../src/ports/actuator.ts';
import { realWall } from '../../src/runtime/wall.ts';
import { type Device, type DeviceOptions, device, ios, oneByOne, secrets } from './device.ts';

const actuator = cliActuator({ wall: realWall, secrets, dialectOf: () => iosDialect });
const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];

async function playing(options: DeviceOptions): Promise<Device> {
  const played = await device(options);
  ends.push(played.close);
  return played;
}

async function session(options: DeviceOptions, change: (target: Target) => Target = (target) => target): Promise<Session> {
  const played = await playing(options);
  const opened = await actuator.open('edge1', change(played.target), never);
  ends.unshift(opened.close);
  return opened;
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

test('an exec command answers with its output alone', async () => {
  const edge = await session({ shell: ios({ answers: { 'show clock': '*03:14:07.000 UTC Mon Mar 1 1993\n' } }) });
  expect(await edge.run({ kind: 'cli', line: 'show clock' }, never)).toEqual({ text: '*03:14:07.000 UTC Mon Mar 1 1993' });
});

test('it works with every byte in a packet of its own', async () => {
  const edge = await session({ shell: ios({ send: oneByOne, answers: { 'show clock': 'a\nedge2#\nb\n' } }) });
  expect((await edge.run({ kind: 'cli', line: 'show clock' }, never)).text).toBe('a\nedge2#\nb');
});
