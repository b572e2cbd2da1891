// Owns: an offbox.yaml and an inventory.yaml in a folder of their own, and what loading them says.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { messageOf, OperatorError } from '../../src/model/errors.ts';
import { loadConfig } from '../../src/runtime/config.ts';

export const goodConfig = 'inventory: inventory.yaml\n';
export const goodInventory = `targets:
  gw-a:
    platform: cisco-ios
    address: 10.0.0.1
    cli: { user: offbox, password: { env: GW_PASSWORD }, hostKey: "SHA256:${'a'.repeat(43)}" }
  gw-b: { platform: frr, address: 10.0.0.2 }
gateways:
  lan23:
    protocol: hsrp
    prefixes: [23.0.0.0/8]
    members:
      - { target: gw-a, interface: Vlan20, group: 2 }
      - { target: gw-b, interface: Vlan20, group: 2 }
`;

/** Makes the folder before the tests of a file and removes it after them. */
export function configFolder() {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offbox-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const pathOf = (name: string) => join(folder, name);

  /** The message of what is wrong, without the folder's name; empty where nothing is. */
  async function told(config: string, inventory = goodInventory): Promise<string> {
    await writeFile(pathOf('offbox.yaml'), config);
    await writeFile(pathOf('inventory.yaml'), inventory);
    return loadConfig(pathOf('offbox.yaml')).then(
      () => '',
      (error: unknown) => {
        expect(error).toBeInstanceOf(OperatorError);
        return messageOf(error).replaceAll(`${folder}/`, '');
      },
    );
  }
  return { pathOf, told, toldOfInventory: (inventory: string) => told(goodConfig, inventory) };
}
