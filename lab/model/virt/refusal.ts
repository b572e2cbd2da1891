// Owns: the errors libvirtd says no with: code, who says it, and the sentence with its parts, as libvirt 9.0 was measured.

/** virErrorNumber. */
const codes = {
  internal: 1,
  noSupport: 3,
  noConnect: 5,
  invalidArgument: 8,
  failed: 9,
  xml: 27,
  denied: 29,
  system: 38,
  rpc: 39,
  noDomain: 42,
  noNetwork: 43,
  noPool: 49,
  noVolume: 50,
  invalid: 55,
  timeout: 68,
  aborted: 78,
  noMetadata: 80,
  unsupported: 84,
} as const;

/** virErrorDomain. */
const speakers = { none: 0, rpc: 7, qemu: 10, storage: 18, network: 19, domain: 20, interface: 31 } as const;

/** What libvirt puts before the detail, by code; `%s` alone where the detail says it all. */
const formats: Readonly<Record<keyof typeof codes, string>> = {
  internal: 'internal error: %s',
  noSupport: 'this function is not supported by the connection driver: %s',
  noConnect: 'no connection driver available for %s',
  invalidArgument: 'invalid argument: %s',
  failed: 'operation failed: %s',
  xml: 'XML error: %s',
  denied: 'operation forbidden: %s',
  system: '%s',
  rpc: '%s',
  noDomain: 'Domain not found: %s',
  noNetwork: 'Network not found: %s',
  noPool: 'Storage pool not found: %s',
  noVolume: 'Storage volume not found: %s',
  invalid: 'Requested operation is not valid: %s',
  timeout: 'Timed out during operation: %s',
  aborted: 'operation aborted: %s',
  noMetadata: 'metadata not found: %s',
  unsupported: 'Operation not supported: %s',
};

/** Thrown where libvirtd refuses a call; answered with its error. */
export class LibvirtRefusal extends Error {
  readonly code: number;
  readonly speaker: number;
  readonly format: string;
  readonly detail: string;

  constructor(code: keyof typeof codes, detail: string, speaker: keyof typeof speakers = 'qemu') {
    super(formats[code].replace('%s', () => detail));
    this.code = codes[code];
    this.speaker = speakers[speaker];
    this.format = formats[code];
    this.detail = detail;
  }
}
