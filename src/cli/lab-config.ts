// Owns: the offbox.yaml of the simulated network: it listens where the lab's devices send to, and acts at once.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Writes it beside the lab's inventory; returns its path. */
export async function writeLabConfig(directory: string, net: number): Promise<string> {
  const path = join(directory, 'offbox.yaml');
  await writeFile(path, configText(net));
  return path;
}

function configText(net: number): string {
  return `# The simulated network's. Written anew by every \`offbox start --lab\`.
inventory: inventory.yaml
policies: ${fileURLToPath(new URL('../../policies', import.meta.url))}
data: data
sources:
  syslog: { udp: '127.${net}.0.1:5514', tcp: '127.${net}.0.1:5514' }
  snmp: { udp: '127.${net}.0.1:5162' }
modes: { default: enforce }
`;
}
