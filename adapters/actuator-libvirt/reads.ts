// Owns: what is read of a hypervisor: its domains, itself, and what one VM needs. Rows as in src/model/query.ts.
import { libvirtCallMs, libvirtJobMs } from '../../src/model/limits.ts';
import type { DomainRow, QueryRow } from '../../src/model/query.ts';
import { all, first, type LibvirtClient, parseXml, readDomain, refusedAs, word } from '../libvirt-rpc/index.ts';
import { type Domain, jobOperations, type Pool, procedures, stateWord, type TypedParam } from '../libvirt-rpc/protocol.ts';
import { inOrder } from '../libvirt-rpc/turns.ts';

const everything = { needResults: 1, flags: 0 } as const;
/** VIR_CONNECT_LIST_…_ACTIVE, the same of networks and interfaces. */
const active = { needResults: 1, flags: 2 } as const;
/** VIR_STORAGE_POOL_RUNNING. */
const poolRunning = 2;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What is known here of a domain's migration, and libvirtd does not say: that its call has not come back, why the last one failed. */
export interface Known {
  readonly underWay: (uuid: string) => boolean;
  readonly failureOf: (uuid: string) => string | undefined;
}

/** `about` is a UUID or a name; without it all of them. One that is not there has no row. */
export async function readDomains(
  client: LibvirtClient,
  about: string | undefined,
  { underWay, failureOf }: Known,
): Promise<readonly DomainRow[]> {
  const domains =
    about === undefined ? (await client.call(procedures.listAllDomains, everything)).domains : await found(client, about);
  const rows = await inOrder(domains, 2, async (dom) => {
    // Both before it is read: what ends meanwhile is seen the next time.
    const [leaving, failure] = [underWay(dom.uuid), failureOf(dom.uuid)];
    const read = await row(client, dom, failure, about === undefined).catch(unlessGone);
    // While libvirtd connects to the other host it shows no job yet.
    return read && leaving && read.job === undefined && read.state !== 'shutoff' ? { ...read, job: 'migration-out' } : read;
  });
  return rows.flatMap((each) => each ?? []);
}

async function found(client: LibvirtClient, about: string): Promise<readonly Domain[]> {
  const dom = await lookUp(client, about).catch(unlessGone);
  return dom ? [dom] : [];
}

async function lookUp(client: LibvirtClient, about: string): Promise<Domain> {
  if (uuidPattern.test(about)) return (await client.call(procedures.lookupByUuid, { uuid: about })).dom;
  return (await client.call(procedures.lookupByName, { name: about })).dom;
}

function unlessGone(error: unknown): undefined {
  if (!refusedAs(error, 'no-domain')) throw error;
}

/** `amongOthers`: they need not wait for one whose monitor hangs; its job is then left out, as in a listing. */
async function row(client: LibvirtClient, dom: Domain, failure: string | undefined, amongOthers: boolean): Promise<DomainRow> {
  const unlessSilent = (error: unknown): undefined => {
    if (!amongOthers || !refusedAs(error, 'no-answer')) throw error;
  };
  const [{ state, reason }, { xml }, job] = await Promise.all([
    client.call(procedures.getState, { dom, flags: 0 }),
    client.call(procedures.getXmlDesc, { dom, flags: 0 }),
    dom.id === -1 ? undefined : jobOf(client, dom, libvirtJobMs).catch(unlessSilent),
  ]);
  const { nics } = readDomain(xml);
  return { uuid: dom.uuid, vm: word(dom.name), ...stateWord(state, reason), nics, ...job, ...(failure ? { failure } : {}) };
}

/** The job that is on, and how far it has got. */
export async function jobOf(
  client: LibvirtClient,
  dom: Domain,
  deadlineMs = libvirtCallMs,
): Promise<Pick<DomainRow, 'job' | 'progress'>> {
  let stats: { readonly type: number; readonly params: readonly TypedParam[] };
  try {
    stats = await client.call(procedures.getJobStats, { dom, flags: 0 }, { deadlineMs });
  } catch (error) {
    // Of an incoming migration libvirtd says only that its source has the numbers.
    if (refusedAs(error, 'operation-unsupported')) return { job: 'migration-in' };
    // No driver but QEMU's knows jobs; a domain that was stopped since has none.
    if (refusedAs(error, 'not-supported', 'operation-invalid')) return {};
    throw error;
  }
  const { type, params } = stats;
  // Bounded or unbounded; beyond that it is over.
  if (type !== 1 && type !== 2) return {};
  const job = jobOperations[numberOf(params, 'operation') ?? 0] ?? 'unknown';
  const [processed, total] = [numberOf(params, 'data_processed'), numberOf(params, 'data_total')];
  return { job, ...(processed !== undefined && total ? { progress: { processed, total } } : {}) };
}

function numberOf(params: readonly TypedParam[], field: string): number | undefined {
  const value = params.find((param) => param.field === field)?.value;
  return typeof value === 'number' ? value : undefined;
}

export async function readHypervisor(client: LibvirtClient): Promise<QueryRow<'hypervisor'>> {
  const [{ hostname }, { xml }, networks, bridges, plugged, pools] = await Promise.all([
    client.call(procedures.getHostname, undefined),
    client.call(procedures.getCapabilities, undefined),
    unlessUnsupported(client.call(procedures.listAllNetworks, active).then((each) => each.networks.map(({ name }) => name))),
    unlessUnsupported(bridgesOf(client)),
    pluggedInto(client),
    unlessUnsupported(poolsOf(client)),
  ]);
  const host = first(parseXml(xml), 'host');
  const cpu = host && first(host, 'cpu');
  return {
    hostname,
    arch: (cpu && first(cpu, 'arch')?.text) ?? '',
    cpuModel: (cpu && first(cpu, 'model')?.text) ?? '',
    cpuFeatures: cpu ? all(cpu, 'feature').flatMap(({ attributes: { name } }) => (name ? [name] : [])) : [],
    networks: [...new Set([...networks, ...bridges, ...plugged].map(word))].sort(),
    pools,
  };
}

/** A libvirtd without that driver has none of it. */
async function unlessUnsupported<T>(work: Promise<readonly T[]>): Promise<T[]> {
  try {
    return [...(await work)];
  } catch (error) {
    if (refusedAs(error, 'not-supported')) return [];
    throw error;
  }
}

/** Of the host's own interfaces those that a guest can be plugged into. */
async function bridgesOf(client: LibvirtClient): Promise<readonly string[]> {
  const { interfaces } = await client.call(procedures.listAllInterfaces, active);
  const types = await inOrder(interfaces, 4, async (iface) => {
    const { xml } = await client.call(procedures.interfaceGetXmlDesc, { iface, flags: 0 });
    return parseXml(xml).attributes.type;
  });
  return interfaces.flatMap(({ name }, index) => (types[index] === 'bridge' ? [name] : []));
}

/** What its guests are plugged into is there, whoever made it. */
async function pluggedInto(client: LibvirtClient): Promise<readonly string[]> {
  const { domains } = await client.call(procedures.listAllDomains, everything);
  const running = domains.filter(({ id }) => id !== -1);
  const sources = await inOrder(running, 4, async (dom) => {
    const description = await client
      .call(procedures.getXmlDesc, { dom, flags: 0 })
      .then(({ xml }) => readDomain(xml), unlessGone);
    return description?.nics.flatMap(({ source }) => source ?? []) ?? [];
  });
  return sources.flat();
}

async function poolsOf(client: LibvirtClient): Promise<QueryRow<'hypervisor'>['pools']> {
  const { pools } = await client.call(procedures.listAllPools, everything);
  return inOrder(pools, 2, async (pool: Pool) => {
    const [{ xml }, { state, available }] = await Promise.all([
      client.call(procedures.poolGetXmlDesc, { pool, flags: 0 }),
      client.call(procedures.poolGetInfo, { pool }),
    ]);
    const path = first(parseXml(xml), 'target', 'path')?.text ?? '';
    return { name: word(pool.name), path, active: state === poolRunning, availableBytes: available };
  });
}

/** Rejects with libvirt's no where there is no such domain, or a disk of it is not there. */
export async function readVmNeeds(client: LibvirtClient, about: string): Promise<QueryRow<'vm-needs'>> {
  const dom = await lookUp(client, about);
  const { xml } = await client.call(procedures.getXmlDesc, { dom, flags: 0 });
  const { memoryBytes, cpu, nics, disks } = readDomain(xml);
  return {
    uuid: dom.uuid,
    vm: word(dom.name),
    memoryBytes,
    cpu,
    nics,
    disks: await inOrder(disks, 2, async ({ source, device, pool: named }) => {
      const { capacity } = await client.call(procedures.getBlockInfo, { dom, path: device, flags: 0 });
      const pool = named ?? (await poolOf(client, source));
      return { source, ...(pool ? { pool } : {}), bytes: capacity };
    }),
  };
}

/** The pool that knows the file as a volume of its own. */
async function poolOf(client: LibvirtClient, path: string): Promise<string | undefined> {
  try {
    return word((await client.call(procedures.volumeLookupByPath, { path })).vol.pool);
  } catch (error) {
    if (refusedAs(error, 'no-volume', 'not-supported')) return undefined;
    throw error;
  }
}
