// Owns: what a simulated libvirtd answers to each call about its connection, its host and its domains.
import { metadataTypes, migrateFlags, procedures, stateNumbers } from '../../adapters/libvirt-rpc/protocol.ts';
import { type Domain, isActive, jobParams, referenceTo } from '../model/virt/domain.ts';
import { capabilitiesXml, domainXml } from '../model/virt/domain-xml.ts';
import type { HypervisorHost } from '../model/virt/host.ts';
import { LibvirtRefusal } from '../model/virt/refusal.ts';
import { type CallContext, type Handler, on } from './libvirt-call.ts';
import { moreProcedures } from './libvirt-procedures.ts';

/** As libvirt counts: a million for the major number, a thousand for the minor. */
const libvirtVersion = 9_000_000;
const qemuVersion = 7_002_022;
/** virDrvFeature: migration peer to peer, migratable XML, keepalive, offline migration, its typed parameters, event callbacks, close callbacks. */
const features: ReadonlySet<number> = new Set([4, 7, 10, 12, 13, 14, 15]);
const featureKeepalive = 10;
/** VIR_DOMAIN_EVENT_ID_LAST of 9.0. */
const eventIds = 27;
/** virsh event --all takes 23 of them. */
const registrationsMax = 256;

const connection: readonly Handler[] = [
  on(procedures.authList, () => ({ types: [0] })),
  on(procedures.supportsFeature, ({ caller }, { feature }) => {
    // From here on the server pings.
    if (feature === featureKeepalive) caller.keepalive = true;
    return { supported: features.has(feature) ? 1 : 0 };
  }),
  on(procedures.connectOpen, ({ caller }, { uri, flags }) => {
    if (uri !== null && uri !== '' && uri !== 'qemu:///system') throw new LibvirtRefusal('noConnect', uri.slice(0, 200), 'none');
    caller.opened = true;
    caller.readOnly = (flags & 1) !== 0;
    return undefined;
  }),
  on(procedures.connectClose, () => undefined),
  on(procedures.registerClose, () => undefined),
  on(procedures.unregisterClose, () => undefined),
  on(moreProcedures.getType, () => ({ type: 'QEMU' })),
  on(moreProcedures.getVersion, () => ({ version: qemuVersion })),
  on(procedures.getLibVersion, () => ({ version: libvirtVersion })),
  on(moreProcedures.getUri, () => ({ uri: 'qemu:///system' })),
  on(procedures.getHostname, ({ host }) => ({ hostname: host.name })),
  on(procedures.getCapabilities, ({ host }) => ({ xml: capabilitiesXml(host) })),
  on(moreProcedures.nodeGetSecurityModel, () => ({ model: characters('none'), doi: characters('0') })),
];

const domains: readonly Handler[] = [
  on(procedures.listAllDomains, ({ host }, { needResults, flags }) => {
    const found = host.domains().filter((domain) => isListed(domain, flags));
    return { domains: needResults === 0 ? [] : found.map(referenceTo), count: found.length };
  }),
  on(procedures.lookupByUuid, ({ host }, { uuid }) => ({ dom: referenceTo(host.domain(uuid)) })),
  on(procedures.lookupByName, ({ host }, { name }) => ({ dom: named(host, ({ vm }) => vm.name === name, `name '${name}'`) })),
  on(moreProcedures.lookupById, ({ host }, { id }) => ({ dom: named(host, (each) => each.id === id && id >= 0, `id '${id}'`) })),
  on(procedures.getState, ({ host }, { dom }) => stateNumbers(...host.domain(dom.uuid, dom.name).standing)),
  on(procedures.getXmlDesc, ({ host, caller }, { dom, flags }) => {
    const xmlFlags = { secure: 1, inactive: 2, migratable: 8 };
    if (caller.readOnly && (flags & (xmlFlags.secure | xmlFlags.migratable)) !== 0)
      throw new LibvirtRefusal('denied', 'virDomainGetXMLDesc with secure flag', 'domain');
    const domain = host.domain(dom.uuid, dom.name);
    return { xml: domainXml(domain, (flags & (xmlFlags.inactive | xmlFlags.migratable)) === 0 ? 'live' : 'inactive') };
  }),
  on(moreProcedures.getInfo, ({ host }, { dom }) => {
    const { vm, standing } = host.domain(dom.uuid, dom.name);
    const kib = vm.memoryMiB * 1024;
    return { state: stateNumbers(...standing).state, maxMem: kib, memory: kib, vcpus: 1, cpuTime: 200_000_000 };
  }),
  on(moreProcedures.getOsType, () => ({ type: 'hvm' })),
  on(moreProcedures.isActive, ({ host }, { dom }) => ({ value: isActive(host.domain(dom.uuid, dom.name)) ? 1 : 0 })),
  on(procedures.isPersistent, ({ host }, { dom }) => ({ persistent: host.domain(dom.uuid, dom.name).persistent ? 1 : 0 })),
  on(moreProcedures.getAutostart, () => ({ value: 0 })),
  on(moreProcedures.hasManagedSave, () => ({ value: 0 })),
  on(moreProcedures.getSecurityLabel, () => ({ label: characters(''), enforcing: 0 })),
  on(moreProcedures.getMessages, () => ({ messages: [] })),
  on(moreProcedures.suspend, ({ host }, { dom }) => void host.suspend(dom.uuid), 'virDomainSuspend'),
  on(moreProcedures.resume, ({ host }, { dom }) => void host.resume(dom.uuid), 'virDomainResume'),
  on(
    moreProcedures.create,
    async ({ host }, { dom }) => {
      await host.create(dom.uuid);
      return undefined;
    },
    'virDomainCreate',
  ),
  on(
    moreProcedures.createWithFlags,
    async ({ host }, { dom }) => {
      await host.create(dom.uuid);
      return { dom: referenceTo(host.domain(dom.uuid)) };
    },
    'virDomainCreateWithFlags',
  ),
  on(moreProcedures.destroy, destroy, 'virDomainDestroy'),
  on(moreProcedures.destroyFlags, destroy, 'virDomainDestroyFlags'),
  on(moreProcedures.getMetadata, ({ host }, { dom, type, uri }) => ({
    metadata: host.getMetadata(dom.uuid, metadataType(type), uri),
  })),
  on(
    moreProcedures.setMetadata,
    ({ host }, { dom, type, metadata, key, uri }) => {
      const which = metadataType(type);
      if (which === 'element' && uri === null)
        throw new LibvirtRefusal('invalidArgument', 'uri in virDomainSetMetadata must not be NULL', 'domain');
      host.setMetadata(dom.uuid, which, metadata, { key: key ?? 'x', uri: uri ?? '' });
      return undefined;
    },
    'virDomainSetMetadata',
  ),
];

const jobs: readonly Handler[] = [
  on(procedures.getJobStats, ({ host }, { dom, flags }) => {
    const completed = (flags & 1) !== 0;
    const figures = host.jobOf(dom.uuid, completed ? 'completed' : 'current');
    if (!figures) return { type: jobTypeNumbers.none, params: [] };
    return completed
      ? { type: jobTypeNumbers.completed, params: jobParams(figures, 'over') }
      : { type: jobTypeNumbers.unbounded, params: jobParams(figures, 'running') };
  }),
  on(moreProcedures.getJobInfo, ({ host }, { dom }) => {
    if (!isActive(host.domain(dom.uuid, dom.name))) throw new LibvirtRefusal('invalid', 'domain is not running', 'domain');
    const figures = host.jobOf(dom.uuid, 'current');
    const { totalBytes: total = 0, processedBytes: processed = 0, remainingBytes: remaining = 0 } = figures ?? {};
    return {
      type: figures ? jobTypeNumbers.unbounded : jobTypeNumbers.none,
      timeElapsed: figures?.elapsedMs ?? 0,
      timeRemaining: 0,
      dataTotal: total,
      dataProcessed: processed,
      dataRemaining: remaining,
      memTotal: total,
      memProcessed: processed,
      memRemaining: remaining,
      fileTotal: 0,
      fileProcessed: 0,
      fileRemaining: 0,
    };
  }),
  on(procedures.abortJob, abortJob, 'virDomainAbortJob'),
  on(moreProcedures.abortJobFlags, abortJob, 'virDomainAbortJobFlags'),
  on(
    procedures.startPostCopy,
    ({ host, hypervisors }, { dom }) => void hypervisors.startPostCopy(host.domain(dom.uuid).vm.uuid),
    'virDomainMigrateStartPostCopy',
  ),
  on(
    procedures.migratePerform,
    async ({ host, hypervisors }, { dom, dconnuri, params, flags }) => {
      if ((flags & migrateFlags.peerToPeer) === 0 || dconnuri === null)
        throw new LibvirtRefusal('unsupported', 'this libvirtd migrates peer to peer only');
      const bandwidth = params.find(({ field }) => field === 'bandwidth')?.value;
      await hypervisors.perform(host, {
        uuid: dom.uuid,
        uri: dconnuri,
        live: (flags & migrateFlags.live) !== 0,
        persistent: (flags & migrateFlags.persistDest) !== 0,
        undefineSource: (flags & migrateFlags.undefineSource) !== 0,
        suspend: (flags & migrateFlags.paused) !== 0,
        offline: (flags & migrateFlags.offline) !== 0,
        postCopy: (flags & migrateFlags.postCopy) !== 0 ? 'allowed' : 'never',
        bandwidthMiBs: typeof bandwidth === 'number' ? bandwidth : undefined,
      });
      return { cookieOut: new Uint8Array() };
    },
    'virDomainMigratePerform3Params',
  ),
];

const eventCalls: readonly Handler[] = [
  on(procedures.registerEvent, ({ host, caller }, { eventId, dom }) => {
    if (eventId < 0 || eventId >= eventIds)
      throw new LibvirtRefusal(
        'invalidArgument',
        `eventID in virConnectDomainEventRegisterAny must be less than ${eventIds}`,
        'none',
      );
    if (caller.registrations.size >= registrationsMax) throw new LibvirtRefusal('internal', 'too many event callbacks', 'none');
    const callbackId = host.nextCallbackId();
    caller.registrations.set(callbackId, { eventId, uuid: dom?.uuid ?? null });
    return { callbackId };
  }),
  on(procedures.deregisterEvent, ({ caller }, { callbackId }) => {
    if (!caller.registrations.delete(callbackId))
      throw new LibvirtRefusal('internal', `domain event callback ${callbackId} not registered`, 'none');
    return undefined;
  }),
];

export const domainCalls: readonly Handler[] = [...connection, ...domains, ...jobs, ...eventCalls];

/** virDomainJobType. */
const jobTypeNumbers = { none: 0, unbounded: 2, completed: 3 } as const;

async function destroy({ host }: CallContext, { dom }: { readonly dom: { readonly uuid: string } }): Promise<undefined> {
  await host.destroy(dom.uuid);
  return undefined;
}

function abortJob({ host, hypervisors }: CallContext, { dom }: { readonly dom: { readonly uuid: string } }): undefined {
  const domain = host.domain(dom.uuid);
  if (!isActive(domain)) throw new LibvirtRefusal('invalid', 'domain is not running');
  if (!domain.job) throw new LibvirtRefusal('invalid', 'no job is active on the domain');
  if (domain.job.operation === 'migration-in')
    throw new LibvirtRefusal('invalid', 'cannot abort incoming migration; use virDomainDestroy instead');
  hypervisors.abort(dom.uuid);
  return undefined;
}

function named(host: HypervisorHost, is: (domain: Domain) => boolean, what: string) {
  const found = host.domains().find(is);
  if (found) return referenceTo(found);
  throw new LibvirtRefusal('noDomain', `no domain with matching ${what.slice(0, 200)}`);
}

function metadataType(type: number) {
  const found = metadataTypes[type];
  if (found) return found;
  throw new LibvirtRefusal('invalidArgument', `unknown metadata type ${type}`, 'domain');
}

/** virConnectListAllDomainsFlags: each group of bits asks for one of its kinds; none of a group is all. */
function isListed(domain: Domain, flags: number): boolean {
  const [state] = domain.standing;
  const within = (bits: readonly (readonly [bit: number, is: boolean])[]) => {
    const asked = bits.filter(([bit]) => (flags & bit) !== 0);
    return asked.length === 0 || asked.some(([, is]) => is);
  };
  return (
    within([
      [1, isActive(domain)],
      [2, !isActive(domain)],
    ]) &&
    within([
      [4, domain.persistent],
      [8, !domain.persistent],
    ]) &&
    within([
      [16, state === 'running'],
      [32, state === 'paused'],
      [64, state === 'shutoff'],
      [128, !['running', 'paused', 'shutoff'].includes(state)],
    ])
  );
}

/** A C string as remote_protocol.x sends characters: numbers, and a zero at the end. */
function characters(text: string): readonly number[] {
  return [...Buffer.from(`${text}\0`, 'latin1')];
}
