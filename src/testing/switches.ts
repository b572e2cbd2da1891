// Owns: the switches of a story: ports with port security and policy-maps, the MAC address table, the VLANs' VNIs, the routes.
//
// An address is secure on one port of a switch: seen on another it is a violation there. A port learns sticky whatever it
// hears. What is secure stands in the MAC address table as static, and nothing that the tunnel says moves it.

import { dscpWord } from '../model/dscp.ts';
import { TargetError } from '../model/errors.ts';
import { interfaceName } from '../model/interface-name.ts';
import type { QueryRow } from '../model/query.ts';
import type { Inventory } from '../model/target.ts';
import type { Command } from '../ports/actuator.ts';
import type { MacTableState } from '../resources/mac-table-entry.ts';
import type { ServicePolicyState } from '../resources/service-policy.ts';
import type { StickyMacState } from '../resources/sticky-mac.ts';
import type { ViolationModeState } from '../resources/violation-mode.ts';

export const migrationPolicyMap = 'LIVE-MIGRATION';

type SwitchPort = QueryRow<'switchport'>;
type Security = QueryRow<'port-security'>;
type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

export interface Port {
  readonly security: Writable<Security>;
  switchport: SwitchPort;
  /** MAC → VLAN, all of them sticky. */
  readonly secured: Map<string, number>;
  output: string | null;
}

export interface Switch {
  readonly ports: Map<string, Port>;
  /** MAC → where it was heard last: a port, or `nve1` for what came through the tunnel. */
  readonly macs: Map<string, { readonly interface: string; readonly vlan: number }>;
  readonly policyMaps: Map<string, readonly string[]>;
  readonly vnis: Map<number, number>;
  /** Address → the interface toward it. */
  readonly routes: Map<string, string>;
}

/** A guest with this address that speaks is heard again. */
export type Forgot = (mac: string) => void;

export class Switches {
  readonly #inventory: Inventory;
  readonly #switches = new Map<string, Switch>();
  readonly #forgot: Forgot;
  readonly #changed: () => void;

  constructor(inventory: Inventory, forgot: Forgot, changed: () => void) {
    this.#inventory = inventory;
    this.#forgot = forgot;
    this.#changed = changed;
    for (const { target, vtep, interface: name, vlans, native } of inventory.attachments ?? []) {
      const trunk = { mode: 'trunk' as const, allowed: [...vlans], ...(native === undefined ? {} : { native }) };
      this.port(target, name).switchport = { interface: interfaceName(name), ...trunk };
      for (const vlan of vlans) this.switch(vtep ?? target).vnis.set(vlan, 10_000 + vlan);
    }
    for (const { egress, toward, dscp } of inventory.paths ?? []) {
      for (const { target, interface: name } of egress) {
        this.port(target, name);
        this.switch(target).routes.set(toward, interfaceName(name));
        this.switch(target).policyMaps.set(migrationPolicyMap, [dscpWord(dscp)]);
      }
    }
  }

  switch(name: string): Switch {
    if (!Object.hasOwn(this.#inventory.targets, name)) throw new RangeError(`there is no switch ${name} in the inventory`);
    let found = this.#switches.get(name);
    if (!found) {
      found = { ports: new Map(), macs: new Map(), policyMaps: new Map(), vnis: new Map(), routes: new Map() };
      this.#switches.set(name, found);
    }
    return found;
  }

  port(name: string, written: string): Port {
    const { ports } = this.switch(name);
    const port = interfaceName(written);
    let found = ports.get(port);
    if (!found) {
      const security: Security = { interface: port, enabled: true, sticky: true, violation: 'restrict', status: 'secure-up' };
      found = { security, switchport: { interface: port, mode: 'other' }, secured: new Map(), output: null };
      ports.set(port, found);
    }
    return found;
  }

  /** A frame comes in where a hypervisor is plugged in; it is a broadcast, and reaches every other switch by the tunnel. */
  frame(hypervisor: string, mac: string, vlan: number): void {
    const attachment = this.#inventory.attachments?.find((each) => each.hypervisor === hypervisor && each.vlans.includes(vlan));
    if (!attachment) return;
    const { target } = attachment;
    const name = interfaceName(attachment.interface);
    if (!this.#admits(target, name, mac, vlan)) return;
    this.#learn(target, { interface: name, vlan }, mac);
    for (const other of this.#switches.keys()) if (other !== target) this.#learn(other, { interface: 'nve1', vlan }, mac);
    this.#changed();
  }

  /** Each thing that a story tells of when it changes: what it is → how it is. */
  *topics(): Generator<readonly [topic: string, text: string]> {
    const all = [...this.#switches].flatMap(([name, { ports }]) =>
      [...ports].map(([port, of]) => ({ at: `${name} ${port}`, of })),
    );
    const macs = new Set(all.flatMap(({ of }) => [...of.secured.keys()]));
    for (const mac of macs) {
      const places = all.filter(({ of }) => of.secured.has(mac)).map(({ at }) => at);
      yield [mac, `${mac} is sticky at ${places.join(' and ')}`];
    }
    for (const { at, of } of all) {
      yield [`${at} output`, `${at} output ${of.output ?? 'has no policy-map'}`];
      yield [`${at} violation`, `${at} violation ${of.security.violation}`];
      yield [`${at} status`, `${at} is ${of.security.status === 'secure-shutdown' ? 'err-disabled' : 'up'}`];
    }
  }

  /** JSON, or nothing for what changes. Throws TargetError for what the switch refuses. */
  answer(name: string, command: Command): string {
    if (command.kind === 'configure') {
      const [place = '', line = ''] = command.lines;
      this.#configure(this.port(name, place.replace(/^interface /, '')), line);
      this.#changed();
      return '';
    }
    const line = command.kind === 'cli' ? command.line : '';
    const [, word = '', mac = ''] = /^clear (port-security sticky|mac address-table dynamic) address (\S+)$/.exec(line) ?? [];
    if (word !== '') {
      this.#clear(name, word === 'port-security sticky' ? 'sticky' : 'table', mac);
      this.#changed();
      return '';
    }
    return JSON.stringify(this.#show(name, line.split(' ')));
  }

  #show(name: string, [what = '', about = '', ...more]: readonly string[]): unknown {
    const { policyMaps, vnis, routes, ports } = this.switch(name);
    const port = (): Port => this.port(name, about);
    switch (what) {
      case 'sticky-mac':
        return this.#stickyState(port(), more[0]!, Number(more[1]));
      case 'mac-table':
        return this.#macTable(name, about, Number(more[0]));
      case 'macs':
        return this.#macRows(name, about);
      case 'service-policy':
        return { attached: port().output, installed: port().output } satisfies ServicePolicyState;
      case 'violation-mode':
        return { mode: port().security.violation, enabled: port().security.enabled } satisfies ViolationModeState;
      case 'port-security':
        return about === '' ? [...ports.values()].map(({ security }) => security) : [port().security];
      case 'switchport':
        return about === '' ? [...ports.values()].map(({ switchport }) => switchport) : [port().switchport];
      case 'vnis':
        return [...vnis].map(([vlan, vni]) => ({ vlan, vni }));
      case 'policy-maps':
        return [...policyMaps].map(([policy, dscp]) => ({ policy, classes: [{ class: `${policy}-TRAFFIC`, dscp: [...dscp] }] }));
      case 'routes':
        return routes.has(about) ? [{ prefix: `${about}/32`, interface: routes.get(about) }] : [];
      default:
        throw refused(`Invalid input: ${what}`);
    }
  }

  #macTable(name: string, mac: string, vlan: number): MacTableState {
    const rows = this.#macRows(name, mac).filter((row) => row.vlan === vlan);
    return { rows: rows.map(({ interface: at, type }) => ({ interface: at, type })) };
  }

  #stickyState({ secured, security }: Port, mac: string, vlan: number): StickyMacState {
    const rows = secured.get(mac) === vlan ? [{ type: 'sticky' as const, interface: security.interface }] : [];
    return { rows, status: security.status, violation: security.violation };
  }

  #macRows(name: string, mac: string): readonly QueryRow<'macs'>[] {
    const { ports, macs } = this.switch(name);
    const pinned = [...ports].flatMap(([port, { secured }]) => {
      const vlan = secured.get(mac);
      return vlan === undefined ? [] : [{ mac, vlan, interface: port, type: 'static' }];
    });
    const heard = macs.get(mac);
    return pinned.length > 0 ? pinned : heard ? [{ mac, ...heard, type: 'dynamic' }] : [];
  }

  #admits(name: string, at: string, mac: string, vlan: number): boolean {
    const { ports } = this.switch(name);
    const port = this.port(name, at);
    const { security, secured } = port;
    if (security.status === 'secure-shutdown') return false;
    if (!security.enabled || secured.has(mac)) return true;
    const isElsewhere = [...ports.values()].some((other) => other !== port && other.secured.get(mac) === vlan);
    if (!isElsewhere) {
      secured.set(mac, vlan);
      return true;
    }
    if (security.violation === 'shutdown') {
      security.status = 'secure-shutdown';
      this.#changed();
    }
    return false;
  }

  /** Not where port security pins it to a port. */
  #learn(name: string, at: { readonly interface: string; readonly vlan: number }, mac: string): void {
    const { ports, macs } = this.switch(name);
    const pinned = [...ports].find(([, { secured }]) => secured.has(mac))?.[0];
    if (pinned === undefined || pinned === at.interface) macs.set(mac, at);
  }

  #clear(name: string, which: 'sticky' | 'table', mac: string): void {
    const { ports, macs } = this.switch(name);
    if (which === 'sticky') for (const { secured } of ports.values()) secured.delete(mac);
    // What was secure stood in there as well.
    macs.delete(mac);
    this.#forgot(mac);
  }

  #configure(port: Port, line: string): void {
    const mode = /^switchport port-security violation (shutdown|restrict|protect)$/.exec(line)?.[1];
    const attach = /^service-policy output (\S+)$/.exec(line)?.[1];
    if (mode !== undefined) port.security.violation = mode as Security['violation'];
    else if (line === 'no switchport port-security violation') port.security.violation = 'shutdown';
    else if (attach !== undefined) port.output = attach;
    else if (/^no service-policy output/.test(line)) port.output = null;
    else throw refused(`Invalid input: ${line}`);
  }
}

function refused(sentence: string): TargetError {
  return new TargetError(`the switch refuses: ${sentence}`, { code: 'refused', retry: false, remedy: 'Mend the story.' });
}
