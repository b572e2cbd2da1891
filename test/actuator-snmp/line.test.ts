// A line over SNMP whose agent loses the answer to a set: it is in doubt, and reading tells.
import { expect, onTestFinished, test } from 'vitest';
import { snmpActuator } from '../../adapters/actuator-snmp/index.ts';
import { snmpAnswerMs, snmpAsksMax } from '../../src/model/limits.ts';
import type { Dialogue } from '../../src/ports/platform.ts';
import { Line } from '../../src/runtime/line.ts';
import { handWall } from '../source-snmp/kit.ts';
import { userAgent } from './agent.ts';

const oid = '1.3.6.1.4.1.9.9.315.1.2.3.1.5.9.82.84.0.170.187.2.10';

function* read(): Dialogue<string> {
  return (yield { kind: 'snmp-get', oids: [oid] }).text;
}

test('what was set with its answer lost is sent once, and read when the line is back', async () => {
  const wall = handWall();
  let there = true;
  const { target, asked } = await userAgent(({ kind }, _times, seal) => {
    if (kind !== 'set') return [seal({ rows: [[oid, there ? 1 : 'noSuchInstance']] })];
    there = false;
    wall.advance(snmpAnswerMs * snmpAsksMax);
    return [];
  });
  const secrets = async (reference: object): Promise<string> => ('env' in reference ? String(reference.env) : '');
  const back: string[] = [];
  const line = new Line({
    name: 'sw1',
    target,
    actuators: [snmpActuator({ wall, secrets })],
    wall,
    onBack: (name) => void back.push(name),
  });
  onTestFinished(() => line.close());
  await line.open();
  expect(line.status().state).toBe('up');
  expect(await line.read(read, 10_000)).toBe(JSON.stringify([{ oid, value: 1 }]));
  const set = { kind: 'snmp-set', oid, integer: 6 } as const;
  await expect(line.write([set], 10_000, wall.monotonic() + 10_000, () => {})).rejects.toMatchObject({
    code: 'connection-lost',
    retry: true,
  });
  expect(await line.read(read, 10_000)).toBe('[]');
  expect(asked.map(({ kind }) => kind)).toEqual(['get', 'set', 'get']);
  expect(back).toEqual(['sw1']);
});
