// Owns: whether what is written as a libvirt URI can be one (https://libvirt.org/uri.html): the one that a hypervisor's daemon opens, and
// the one by which the others reach it.
import { nearest } from '../model/nearest.ts';
import type { Inventory, Target } from '../model/target.ts';
import { type Finding, finding } from './config-findings.ts';
import type { Path } from './config-problem.ts';

/** Those that a daemon serves. */
const drivers = ['qemu', 'test', 'xen', 'lxc', 'ch', 'bhyve', 'vz', 'parallels', 'openvz', 'vbox'];
const vmwareDrivers = ['vmwareplayer', 'vmwarews', 'vmwarefusion'];
const transports = ['tls', 'tcp', 'ssh', 'unix', 'ext', 'libssh', 'libssh2'];

/** Userinfo is a login on the way, and a port may follow; `host` is empty in `qemu:///system`. */
const form =
  /^(?<driver>[a-z][a-z0-9.-]*)(?:\+(?<transport>[a-z0-9]+))?:\/\/(?:[^\s@/?#]+@)?(?<host>\[[0-9A-Fa-f:.%]+\]|[^\s:@/?#[\]]*)(?::(?<port>\d+))?(?<path>\/[^\s?#]*)?(?:\?(?<query>[^\s#]*))?$/;

const ownForm = 'Write it as its own daemon has it, such as qemu:///system.';
const wayForm = 'Write it as the other hypervisors reach it, such as qemu+tls://HOST/system or qemu+ssh://USER@HOST/system.';

export function libvirtUriFindings({ targets }: Inventory): readonly Finding[] {
  const all = Object.entries(targets);
  return [...all.flatMap(([name, target]) => ofTarget(['targets', name], target)), ...sharedWays(all)];
}

function ofTarget(path: Path, { libvirt }: Target): readonly Finding[] {
  if (!libvirt) return [];
  const { uri, migrationUri } = libvirt;
  return [
    ...uriFindings([...path, 'libvirt', 'uri'], uri, ownForm, ownFinding),
    ...(migrationUri === undefined ? [] : uriFindings([...path, 'libvirt', 'migrationUri'], migrationUri, wayForm, wayFinding)),
  ];
}

/** A VM meant for one would arrive at the other. */
function sharedWays(targets: readonly (readonly [string, Target])[]): readonly Finding[] {
  const owners = new Map<string, string>();
  return targets.flatMap(([name, { libvirt }]) => {
    if (libvirt?.migrationUri === undefined) return [];
    const owner = owners.get(libvirt.migrationUri);
    owners.set(libvirt.migrationUri, owner ?? name);
    if (owner === undefined) return [];
    const cause = `leads to "${owner}", which has the same`;
    return [finding(['targets', name, 'libvirt', 'migrationUri'], cause, 'Correct one of the two.')];
  });
}

type Parts = Readonly<Record<'driver' | 'transport' | 'host' | 'port' | 'path' | 'query', string | undefined>>;
type Told = readonly [cause: string, remedy: string];

function uriFindings(at: Path, written: string, remedy: string, more: (parts: Parts) => Told | undefined): readonly Finding[] {
  const parts = form.exec(written)?.groups as Parts | undefined;
  const told = parts ? (wrong(parts, remedy) ?? more(parts)) : ([`${shown(written)} is no libvirt URI`, remedy] as const);
  return told ? [finding(at, ...told)] : [];
}

/** Of either. */
function wrong({ driver = '', transport, port, path = '' }: Parts, remedy: string): Told | undefined {
  if (![...drivers, ...vmwareDrivers].includes(driver))
    return [`libvirt has no driver ${shown(driver)}`, meant(driver, drivers) ?? remedy];
  if (transport !== undefined && !transports.includes(transport))
    return [`libvirt has no transport ${shown(transport)}`, meant(transport, transports) ?? `It has ${transports.join(', ')}.`];
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))
    return [`${port} is no port`, 'A port is 1 to 65535.'];
  if (driver === 'qemu' && path !== '/system' && path !== '/session')
    return [
      path === '' ? 'lacks its path' : `qemu has no path ${shown(path)}`,
      'After the host comes /system, or /session for a daemon of one user.',
    ];
  return undefined;
}

/** How it is reached stands beside it. */
function ownFinding({ transport, host }: Parts): Told | undefined {
  if (transport === undefined && host === '') return undefined;
  return ['names a way, and the way to the daemon is "transport" with the target\'s address', ownForm];
}

/** Whoever opens it is the hypervisor that the VM leaves. */
function wayFinding({ transport, host, query = '' }: Parts): Told | undefined {
  if (host !== '' || transport === 'ext' || new URLSearchParams(query).get('socket')) return undefined;
  return ['names no host: each hypervisor would find itself there', wayForm];
}

function meant(written: string, known: readonly string[]): string | undefined {
  const one = nearest(written, known);
  return one && `Did you mean ${one}?`;
}

const shown = (written: string): string => JSON.stringify(written.slice(0, 64));
