// Whom notifications come from: an engine id that no engine has, or a user that nobody listens to, would authenticate nothing.
import { describe, expect, test } from 'vitest';
import { configFolder, goodConfig } from './config-folder.ts';

const { told, toldOfInventory } = configFolder();

test.each([
  ['an odd number of digits', '80000009031', '5 to 32 octets of two digits each'],
  ['too short', '80000009', '5 to 32 octets of two digits each'],
  ['too long', '80'.repeat(33), '5 to 32 octets of two digits each'],
  ['written as a program would', '0x8000000903', '5 to 32 octets of two digits each'],
])('an SNMP engine id that is %s is told with its form', async (_, engine, form) => {
  const said = await toldOfInventory(`targets:\n  a: { platform: frr, address: h, snmp: { user: u, engine: '${engine}' } }\n`);
  const shown = JSON.stringify(engine).slice(0, 60);
  expect(said).toContain(`inventory.yaml:2:60: targets.a.snmp.engine: ${shown}`);
  expect(said).toContain(`is not valid. It must be the engine id in hex: ${form}.`);
});

test('an SNMP engine id that no engine has is told (RFC 3411)', async () => {
  for (const engine of ['0000000000', 'FFFFFFFFFFFF'])
    expect(await toldOfInventory(`targets:\n  a: { platform: frr, address: h, snmp: { user: u, engine: '${engine}' } }\n`)).toBe(
      `inventory.yaml:2:60: targets.a.snmp.engine: "${engine}" is not valid. It must not be all zeros, nor all f.`,
    );
});

const inventory = (a: string, b = '') =>
  `targets:\n  a: { platform: frr, address: a, snmp: { ${a} } }\n  b: { platform: frr, address: b, snmp: { ${b} } }\n`;
const both = "engine: '80000009aa', user: offbox";

describe('the pair of engine and user', () => {
  test.each([
    ['both', both],
    ['neither', ''],
    ['an engine that writes are kept to', "engine: '80000009aa', write: { community: { env: RW } }"],
  ])('is fine with %s', async (_, snmp) => {
    expect(await toldOfInventory(inventory(snmp).replaceAll('frr', 'cisco-ios'))).toBe('');
  });

  test.each([
    ['a user alone', 'user: offbox', 'user: "engine" is missing. Write both: which engine, and which user of it.'],
    ['an engine alone', "engine: '80000009aa'", 'engine: "user" is missing. Write both: which engine, and which user of it.'],
  ])('is not %s', async (_, snmp, said) => {
    expect(await toldOfInventory(inventory(snmp))).toBe(`inventory.yaml:2:43: targets.a.snmp.${said}`);
  });

  test('is of one target alone, in whatever letters', async () => {
    expect(await toldOfInventory(inventory(both, both.replace('aa', 'AA')))).toBe(
      'inventory.yaml:3:51: targets.b.snmp.engine: "a" has this engine id already. Each device has its own: correct one.',
    );
  });
});

describe('the user of a target', () => {
  const source = (users: string) => `${goodConfig}sources: { snmp: { udp: '127.0.0.1:1162', users: [${users}] } }\n`;
  const said = (remedy: string) =>
    `inventory.yaml:2:71: targets.a.snmp.user: sources.snmp.users of offbox.yaml has no "offbox". ${remedy}`;

  test('is one that is listened to', async () => {
    expect(await told(source('{ name: offbox }'), inventory(both))).toBe('');
    expect(await told(source('{ name: ofbox }'), inventory(both))).toBe(said('Did you mean ofbox?'));
    expect(await told(source('{ name: other }'), inventory(both))).toBe(said('Declare it there, with its keys.'));
  });

  test('is anybody where nobody listens', async () => {
    expect(await toldOfInventory(inventory(both))).toBe('');
  });
});
