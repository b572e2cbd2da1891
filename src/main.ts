// Owns: the composition root; the only file that imports adapters and the lab. compose() puts a runtime together from a
// configuration; whoever calls it (the command line, a test) decides what to watch and when to stop.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cliActuator } from '../adapters/actuator-cli/index.ts';
import { netconfActuator } from '../adapters/actuator-netconf/index.ts';
import { openSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import { soloLease } from '../adapters/lease-solo/index.ts';
import { platforms } from '../adapters/platforms/index.ts';
import { snmpSource } from '../adapters/source-snmp/index.ts';
import { syslogSource } from '../adapters/source-syslog/index.ts';
import { listenAddress } from './model/config.ts';
import type { Inventory } from './model/target.ts';
import type { Secrets } from './ports/actuator.ts';
import type { Source } from './ports/source.ts';
import { targetOf } from './runtime/admission.ts';
import type { LoadedConfig } from './runtime/config.ts';
import { engineIdentity } from './runtime/engine-identity.ts';
import { loadPolicies } from './runtime/policies.ts';
import { Runtime, type Watcher } from './runtime/runtime.ts';
import { secretsFrom } from './runtime/secrets.ts';
import { realWall as wall } from './runtime/wall.ts';

export interface ComposeOptions extends LoadedConfig {
  /** Told what the operator should know and nothing else tells. */
  readonly warn?: (text: string) => void;
  readonly watch?: Watcher;
}

/** The data folder of a configuration: journal, lock, control socket. */
export function dataFolder({ config, directory }: LoadedConfig): string {
  return resolve(directory, config.data);
}

export function journalPath(loaded: LoadedConfig): string {
  return join(dataFolder(loaded), 'journal.sqlite');
}

/** Puts a runtime together and starts it. Rejects with an OperatorError for what the operator can mend. */
export async function compose(options: ComposeOptions): Promise<Runtime> {
  const { config, inventory, directory, watch, warn = () => undefined } = options;
  const policies = await loadPolicies(resolve(directory, config.policies));
  const data = dataFolder(options);
  const secrets = secretsFrom({ directory, wall, warn });
  await mkdir(data, { recursive: true, mode: 0o700 });
  const lease = await soloLease({ directory: data, describe: () => `offbox start in ${directory}` }).acquire();
  const journal = await openSqliteJournal({ path: journalPath(options) });
  const runtime = new Runtime({
    wall,
    journal,
    lease,
    inventory,
    policies,
    platforms,
    modes: config.modes,
    actuators: [
      cliActuator({ wall, secrets, dialectOf: (platform) => platforms[platform]?.cli }),
      netconfActuator({ wall, secrets }),
    ],
    sources: await sourcesOf(options, data, secrets),
    ...(watch ? { watch } : {}),
  });
  await runtime.start();
  return runtime;
}

async function sourcesOf({ config, inventory }: LoadedConfig, data: string, secrets: Secrets): Promise<readonly Source[]> {
  const made: Source[] = [];
  const { syslog, snmp } = config.sources;
  if (syslog?.udp || syslog?.tcp) {
    made.push(
      syslogSource({
        ...(syslog.udp ? { udp: listenAddress(syslog.udp) } : {}),
        ...(syslog.tcp ? { tcp: listenAddress(syslog.tcp) } : {}),
        wall,
        platformOf: (peer) => inventory.targets[targetOf(inventory, peer) ?? '']?.platform,
      }),
    );
  }
  if (snmp) made.push(await snmpFrom(snmp, inventory, data, secrets));
  return made;
}

async function snmpFrom(
  snmp: NonNullable<LoadedConfig['config']['sources']['snmp']>,
  inventory: Inventory,
  data: string,
  secrets: Secrets,
): Promise<Source> {
  const communities = await Promise.all((snmp.communities ?? []).map(secrets));
  const users = await Promise.all(
    (snmp.users ?? []).map(async ({ name, level, auth, priv }) => ({
      name,
      ...(level ? { level } : {}),
      ...(auth ? { auth: { protocol: auth.protocol, key: await secrets(auth.key) } } : {}),
      ...(priv ? { priv: { protocol: priv.protocol, key: await secrets(priv.key) } } : {}),
    })),
  );
  const agents = new Map<
    string,
    { name: string; address: string; port: number; community?: string; engine?: string; user?: string }
  >();
  for (const [name, { address, snmp: access }] of Object.entries(inventory.targets)) {
    if (!access) continue;
    const { port = 161, community, engine, user } = access;
    const asked = community ? { community: await secrets(community) } : {};
    agents.set(name, { name, address, port, ...asked, ...(engine ? { engine } : {}), ...(user ? { user } : {}) });
  }
  return snmpSource({
    ...listenAddress(snmp.udp),
    communities,
    users,
    engine: await engineIdentity(data),
    wall,
    agentOf: (peer) => agents.get(targetOf(inventory, peer) ?? ''),
  });
}

export { type Lab, startLab } from '../lab/index.ts';
export { wall };
