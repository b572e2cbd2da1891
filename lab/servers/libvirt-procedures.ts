// Owns: the procedures of libvirt's remote protocol that clients such as virsh call and Offbox does not: numbers and shapes.
import { domainCodec, networkCodec, type Procedure, poolCodec } from '../../adapters/libvirt-rpc/protocol.ts';
import { array, type Codec, int, nothing, optional, string, struct, uhyper, uint, uuid } from '../../adapters/libvirt-rpc/xdr.ts';

const text = string(4_194_304);
const flags = uint;
const one = { value: int };
const dom = { dom: domainCodec };

const procedure = <A, R>(name: string, number: number, args: Codec<A>, result: Codec<R>): Procedure<A, R> => {
  return { name, number, args, result };
};

export const moreProcedures = {
  getType: procedure('CONNECT_GET_TYPE', 3, nothing, struct({ type: text })),
  getVersion: procedure('CONNECT_GET_VERSION', 4, nothing, struct({ version: uhyper })),
  getUri: procedure('CONNECT_GET_URI', 110, nothing, struct({ uri: text })),
  create: procedure('DOMAIN_CREATE', 9, struct(dom), nothing),
  createWithFlags: procedure('DOMAIN_CREATE_WITH_FLAGS', 196, struct({ ...dom, flags }), struct(dom)),
  destroy: procedure('DOMAIN_DESTROY', 12, struct(dom), nothing),
  destroyFlags: procedure('DOMAIN_DESTROY_FLAGS', 234, struct({ ...dom, flags }), nothing),
  suspend: procedure('DOMAIN_SUSPEND', 34, struct(dom), nothing),
  resume: procedure('DOMAIN_RESUME', 28, struct(dom), nothing),
  getAutostart: procedure('DOMAIN_GET_AUTOSTART', 15, struct(dom), struct(one)),
  getInfo: procedure(
    'DOMAIN_GET_INFO',
    16,
    struct(dom),
    struct({ state: uint, maxMem: uhyper, memory: uhyper, vcpus: uint, cpuTime: uhyper }),
  ),
  getOsType: procedure('DOMAIN_GET_OS_TYPE', 19, struct(dom), struct({ type: text })),
  lookupById: procedure('DOMAIN_LOOKUP_BY_ID', 22, struct({ id: int }), struct(dom)),
  // Characters, four bytes each.
  getSecurityLabel: procedure('DOMAIN_GET_SECURITY_LABEL', 121, struct(dom), struct({ label: array(int, 4097), enforcing: int })),
  nodeGetSecurityModel: procedure(
    'NODE_GET_SECURITY_MODEL',
    122,
    nothing,
    struct({ model: array(int, 257), doi: array(int, 257) }),
  ),
  isActive: procedure('DOMAIN_IS_ACTIVE', 150, struct(dom), struct(one)),
  getJobInfo: procedure(
    'DOMAIN_GET_JOB_INFO',
    163,
    struct(dom),
    struct({
      type: int,
      timeElapsed: uhyper,
      timeRemaining: uhyper,
      dataTotal: uhyper,
      dataProcessed: uhyper,
      dataRemaining: uhyper,
      memTotal: uhyper,
      memProcessed: uhyper,
      memRemaining: uhyper,
      fileTotal: uhyper,
      fileProcessed: uhyper,
      fileRemaining: uhyper,
    }),
  ),
  hasManagedSave: procedure('DOMAIN_HAS_MANAGED_SAVE_IMAGE', 183, struct({ ...dom, flags }), struct(one)),
  setMetadata: procedure(
    'DOMAIN_SET_METADATA',
    264,
    struct({ ...dom, type: int, metadata: optional(text), key: optional(text), uri: optional(text), flags }),
    nothing,
  ),
  getMetadata: procedure(
    'DOMAIN_GET_METADATA',
    265,
    struct({ ...dom, type: int, uri: optional(text), flags }),
    struct({ metadata: text }),
  ),
  getMessages: procedure('DOMAIN_GET_MESSAGES', 426, struct({ ...dom, flags }), struct({ messages: array(text, 2048) })),
  abortJobFlags: procedure('DOMAIN_ABORT_JOB_FLAGS', 442, struct({ ...dom, flags }), nothing),
  networkGetXmlDesc: procedure('NETWORK_GET_XML_DESC', 43, struct({ net: networkCodec, flags }), struct({ xml: text })),
  networkGetAutostart: procedure('NETWORK_GET_AUTOSTART', 44, struct({ net: networkCodec }), struct(one)),
  networkLookupByName: procedure('NETWORK_LOOKUP_BY_NAME', 46, struct({ name: text }), struct({ net: networkCodec })),
  networkLookupByUuid: procedure('NETWORK_LOOKUP_BY_UUID', 47, struct({ uuid }), struct({ net: networkCodec })),
  networkIsActive: procedure('NETWORK_IS_ACTIVE', 152, struct({ net: networkCodec }), struct(one)),
  networkIsPersistent: procedure('NETWORK_IS_PERSISTENT', 153, struct({ net: networkCodec }), struct(one)),
  poolLookupByName: procedure('STORAGE_POOL_LOOKUP_BY_NAME', 84, struct({ name: text }), struct({ pool: poolCodec })),
  poolLookupByUuid: procedure('STORAGE_POOL_LOOKUP_BY_UUID', 85, struct({ uuid }), struct({ pool: poolCodec })),
  poolGetAutostart: procedure('STORAGE_POOL_GET_AUTOSTART', 89, struct({ pool: poolCodec }), struct(one)),
  poolIsActive: procedure('STORAGE_POOL_IS_ACTIVE', 154, struct({ pool: poolCodec }), struct(one)),
  poolIsPersistent: procedure('STORAGE_POOL_IS_PERSISTENT', 155, struct({ pool: poolCodec }), struct(one)),
} as const;
