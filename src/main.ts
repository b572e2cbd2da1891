// Owns: the composition root; the only file that imports adapters and the lab. compose() puts a runtime together from a
// configuration; whoever calls it (the command line, a test) decides what to watch and when to stop.
import { existsSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { cliActuator } from '../adapters/actuator-cli/index.ts';
import { libvirtActuator } from '../adapters/actuator-libvirt/index.ts';
import { netconfActuator } from '../adapters/actuator-netconf/index.ts';
import { snmpActuator } from '../adapters/actuator-snmp/index.ts';
import { type JournalReader, openSqliteJournal, readSqliteJournal } from '../adapters/journal-sqlite/index.ts';
import { soloLease } from '../adapters/lease-solo/index.ts';
import { platforms } from '../adapters/platforms/index.ts';
import { syslogMeaning } from '../adapters/platforms/syslog-meanings.ts';
import { type Intake, requestIntake } from '../adapters/requests/intake.ts';
import { httpSource } from '../adapters/source-http/index.ts';
import { libvirtSource } from '../adapters/source-libvirt/index.ts';
import type { NatsSource } from '../adapters/source-nats/index.ts';
import { decodeTrap, snmpSource } from '../adapters/source-snmp/index.ts';
import { syslogSource } from '../adapters/source-syslog/index.ts';
import { parseSyslog } from '../adapters/source-syslog/wire.ts';
import { Engine } from './core/engine.ts';
import { type HttpConfig, listenAddress, type NatsConfig } from './model/config.ts';
import { OperatorError } from './model/errors.ts';
import type { Event } from './model/event.ts';
import type { Inventory, PlatformName, SecretReference } from './model/target.ts';
import { durationMs } from './model/time.ts';
import type { Secrets } from './ports/actuator.ts';
import type { Source } from './ports/source.ts';
import { platformsOf, targetOf } from './runtime/admission.ts';
import { Apart } from './runtime/apart/apart.ts';
import { feedBounds } from './runtime/apart/feed.ts';
import type { BundledPolicy } from './runtime/apart/messages.ts';
import { PolicyThread, type ThreadEars } from './runtime/apart/thread.ts';
import { serveApi } from './runtime/api.ts';
import { type BacktestOptions, type BacktestReport, backtest, deployedOver, together } from './runtime/backtest.ts';
import { beginPolicies } from './runtime/begin-policies.ts';
import type { LoadedConfig } from './runtime/config.ts';
import { problemText } from './runtime/config-problem.ts';
import { engineIdentity } from './runtime/engine-identity.ts';
import { type Explanation, explain } from './runtime/explain.ts';
import { keepInForce } from './runtime/keep-in-force.ts';
import { makeFolder } from './runtime/make-folder.ts';
import { bundlePolicies, type LoadedPolicy, loadBundle, loadPolicies, loadPolicy } from './runtime/policies.ts';
import { recover, viewed } from './runtime/recovery.ts';
import { Requests } from './runtime/requests.ts';
import { Runtime, type Watcher } from './runtime/runtime.ts';
import { secretsFrom } from './runtime/secrets.ts';
import { View } from './runtime/view.ts';
import { realWall as wall } from './runtime/wall.ts';
import { Stage } from './testing/stage.ts';

/** The thread that runs policies, as it lies beside this file: .ts in a checkout, .js in a package. */
const policyThread = new URL(`./policy-thread${extname(import.meta.url)}`, import.meta.url);
const storyThread = new URL(`./story-thread${extname(import.meta.url)}`, import.meta.url);

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

function apartFor(journal: string): Apart {
  const thread = (ears: ThreadEars): PolicyThread => new PolicyThread({ wall, file: policyThread, journal, ...ears });
  return new Apart({ wall, bounds: feedBounds, thread });
}

/** Evaluates policies where nobody waits for one that does not come back. Rejects with an OperatorError that names each fault's file. */
export async function tryPolicies(loaded: LoadedConfig): Promise<void> {
  const { config, directory } = loaded;
  const tried = await apartFor(journalPath(loaded)).load(await bundlePolicies(resolve(directory, config.policies)));
  await tried.thread.end();
}

/** Where the command line plays stories. */
export function storyStage(): Stage {
  return new Stage({ wall, file: storyThread });
}

/** Puts a runtime together and starts it. Rejects with an OperatorError for what the operator can mend. */
export async function compose(options: ComposeOptions): Promise<Runtime> {
  const { config, inventory, directory, watch } = options;
  const warn = options.warn ?? watch?.onWarning ?? (() => undefined);
  const data = dataFolder(options);
  const path = journalPath(options);
  const apart = apartFor(path);
  const folder = resolve(directory, config.policies);
  const loaded = await apart.load(await bundlePolicies(folder));
  const secrets = secretsFrom({ directory, wall, warn });
  await makeFolder(data, 'the journal', 'Name another with `data:` in offbox.yaml, or check who may write there.');
  const describe = (): string => `offbox start in ${directory}`;
  const lease = await soloLease({ directory: data, describe, seenEpoch: () => epochOf(path) }).acquire();
  const lost: string[] = [];
  const journal = await openSqliteJournal({
    path,
    wall,
    onCut: (what) => lost.push(what),
    bytesMax: config.journal.maxBytes,
  });
  for (const what of lost) warn(what);
  const { running, policies, gone, waiting } = await beginPolicies({ apart, loaded, journal, folder, wall, warn });
  for (const problem of options.strayModes([...policies, ...gone].map(({ policy }) => policy.name))) warn(problemText(problem));
  apart.begin(running);
  const requests = new Requests();
  const intake = requestIntake(requests);
  const { nats: natsConfig, http } = config.sources;
  const nats = natsConfig ? [await natsFrom(natsConfig, intake, secrets)] : [];
  const runtime = new Runtime({
    wall,
    journal,
    lease,
    inventory,
    policies,
    gone,
    apart,
    platforms,
    modes: config.modes,
    snapshots: true,
    keeping: { keepMs: durationMs(config.journal.keep), bytesMax: config.journal.maxBytes },
    lost,
    actuators: [
      cliActuator({ wall, secrets, dialectOf: (platform) => platforms[platform]?.cli }),
      netconfActuator({ wall, secrets }),
      libvirtActuator({ wall, secrets }),
      snmpActuator({ wall, secrets }),
    ],
    sources: [
      ...(await sourcesOf(options, data, secrets)),
      ...nats,
      ...(http ? [await httpFrom(http, requests, intake, secrets)] : []),
    ],
    reporters: nats.map(({ reporter }) => reporter),
    requests,
    watch: { onWarning: warn, ...watch },
  });
  try {
    await runtime.start();
    const api = await serveApi(runtime, data);
    runtime.closeFirst(() => api.close());
  } catch (thrown) {
    // Whoever is told that it did not start must not find it running: it would act, and hold the lease.
    await runtime.stop();
    throw thrown;
  }
  const reload = (bundles: readonly BundledPolicy[]) => runtime.reloadApart(apart, bundles);
  const { onReload, onReloadFailed: onFailed } = watch ?? {};
  const end = keepInForce({ wall, folder, apart, reload, onReload, onFailed }, waiting);
  runtime.closeFirst(async () => end());
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
        targetOf: (peer) => targetOf(inventory, peer),
        platforms: platformsOf(inventory),
      }),
    );
  }
  if (snmp) made.push(await snmpFrom(snmp, inventory, data, secrets));
  // Nothing to configure: the inventory says which hypervisors there are and how they are reached.
  if (Object.values(inventory.targets).some(({ libvirt }) => libvirt)) made.push(libvirtSource({ inventory, wall, secrets }));
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

async function natsFrom(nats: NatsConfig, intake: Intake, secrets: Secrets): Promise<NatsSource> {
  const { servers, subject, outcomes, user, tls } = nats;
  const { credentials, password, token } = await resolved(secrets, nats, ['credentials', 'password', 'token']);
  // The client of NATS is loaded by those who use it.
  const { natsSource } = await import('../adapters/source-nats/index.ts');
  return natsSource({
    servers,
    subject,
    outcomes,
    wall,
    intake,
    ...(user === undefined ? {} : { user }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(password === undefined ? {} : { password }),
    ...(token === undefined ? {} : { token }),
    ...(tls ? { tls: await resolved(secrets, tls, ['ca', 'certificate', 'key']) } : {}),
  });
}

async function httpFrom(http: HttpConfig, book: Requests, intake: Intake, secrets: Secrets): Promise<Source> {
  const { token, tls } = http;
  const pem = tls && (await resolved(secrets, tls, ['certificate', 'key', 'clientCa']));
  return httpSource({
    wall,
    ...listenAddress(http.listen),
    book,
    intake,
    ...(token ? { token: await secrets(token) } : {}),
    ...(pem?.certificate && pem.key
      ? { tls: { certificate: pem.certificate, key: pem.key, ...(pem.clientCa ? { clientCa: pem.clientCa } : {}) } }
      : {}),
    ...(tls?.clients ? { clients: tls.clients } : {}),
  });
}

/** The secrets behind those references that are there. */
async function resolved<K extends string>(
  secrets: Secrets,
  references: { readonly [key in K]?: SecretReference | undefined },
  keys: readonly K[],
): Promise<{ readonly [key in K]?: string }> {
  const found: { [key in K]?: string } = {};
  for (const key of keys) {
    const reference = references[key];
    if (reference) found[key] = await secrets(reference);
  }
  return found;
}

/** The newest epoch a journal has seen; a lease must not begin below it, whatever became of its own file. */
async function epochOf(path: string): Promise<number> {
  if (!existsSync(path)) return 0;
  const journal = await readSqliteJournal({ path });
  return (await journal.tail().finally(() => journal.close())).epoch;
}

/** What a stopped Offbox knew: its journal replayed. */
export async function viewJournal(loaded: LoadedConfig): Promise<View> {
  const policies = await policiesOf(loaded);
  const engine = new Engine(policies);
  const requests = new Requests();
  const view = new View(engine, requests);
  await reading(loaded, undefined, (journal) => recover({ engine, policies, journal, ...viewed(view, requests) }));
  return view;
}

/** Why the policies did what they did on an entry. */
export async function explainJournal(loaded: LoadedConfig, seq: number, policy?: string): Promise<Explanation> {
  const policies = await policiesOf(loaded);
  return reading(loaded, undefined, (journal) => explain(journal, policies, seq, policy));
}

export interface BacktestChoice extends Pick<BacktestOptions, 'from' | 'to'> {
  /** This policy file alone. */
  readonly policy?: string;
  /** Another journal than the configuration's. */
  readonly journal?: string;
  /** Each version that ran, over the time it ran. */
  readonly asDeployed?: boolean;
  /** From 0 to 1. */
  readonly onProgress: (share: number) => void;
}

/** What the policies as they are now, or each as it was on its day, would have done over a journal. */
export async function backtestJournal(
  loaded: LoadedConfig,
  { policy, journal, asDeployed, onProgress, ...span }: BacktestChoice,
): Promise<BacktestReport> {
  return reading(loaded, journal, async (read) => {
    const { lastSeq } = await read.tail();
    const toldTo = (seq: number): void => onProgress(seq / Math.max(lastSeq, 1));
    if (asDeployed) return backtestAsDeployed(read, join(dataFolder(loaded), 'bundles'), { ...span, onProgress: toldTo });
    const policies = policy === undefined ? await policiesOf(loaded) : [await loadPolicy(resolve(policy))];
    return backtest(read, { ...span, policies, onProgress: toldTo });
  });
}

/** Each version alone, over the time it ran. */
async function backtestAsDeployed(
  journal: JournalReader,
  folder: string,
  options: Omit<BacktestOptions, 'policies' | 'causes'>,
): Promise<BacktestReport> {
  const reports: BacktestReport[] = [];
  for (const { policy, version, bundle, causes } of await deployedOver(journal)) {
    const kept = bundle === undefined ? undefined : await journal.getBlob(bundle);
    if (!kept) {
      throw new OperatorError(`the journal has no bundle of ${policy} ${version}, which ran from entry ${causes.from} on`, {
        code: 'no-bundle',
        remedy: 'It is from before bundles were kept: leave --as-deployed out.',
      });
    }
    const deployed = await loadBundle(Buffer.from(kept).toString('utf8'), version, folder);
    reports.push(await backtest(journal, { ...options, policies: [deployed], causes }));
  }
  return together(reports);
}

export function policiesOf({ config, directory }: LoadedConfig): Promise<readonly LoadedPolicy[]> {
  return loadPolicies(resolve(directory, config.policies));
}

async function reading<T>(
  loaded: LoadedConfig,
  path: string | undefined,
  use: (journal: JournalReader) => Promise<T>,
): Promise<T> {
  const file = resolve(path ?? journalPath(loaded));
  if (!existsSync(file)) {
    throw new OperatorError(`there is no journal ${file}`, {
      code: 'no-journal',
      remedy: path === undefined ? 'It is made by `offbox start`, which has not run here yet.' : 'Name another with --journal.',
    });
  }
  const journal = await readSqliteJournal({ path: file });
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

/** A syslog line as an event's fields. */
export function readSyslog(line: string, platform?: PlatformName): Pick<Event, 'meaning' | 'syslog'> {
  const { fields } = parseSyslog(line);
  return { meaning: syslogMeaning(fields, platform), syslog: fields };
}

/** A notification written as hex, with or without spaces and colons. */
export function decodeTrapHex(line: string): ReturnType<typeof decodeTrap> {
  const hex = line.replace(/^0x/i, '').replace(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})+$/i.test(hex)) {
    throw new OperatorError('this is not hex', {
      code: 'usage',
      remedy: 'Write one datagram a line as hex digits, such as 302602010104...',
    });
  }
  return decodeTrap(Buffer.from(hex, 'hex'));
}

export { decodeSyslog } from '../adapters/source-syslog/decode.ts';
export { labCommand, refuseAnotherLab } from '../lab/control.ts';
export { type Lab, startLab } from '../lab/index.ts';
export { labUp } from '../lab/up.ts';
export { loadInventory } from './runtime/config.ts';
export { bundlePolicy } from './runtime/policies.ts';
export { wall };
