// Owns: one access switch: what it does with a frame, by port security and MAC address table, and what it says of it.
import { Chassis, type Operator } from '../chassis.ts';
import { childrenOf } from '../config.ts';
import { errDisableTrap, macViolationTrap } from '../device-events.ts';
import { shortInterface } from '../show/show-standby.ts';
import { addressLine, type ConfiguredAddress, carriesVlan, type PortFacts, portsOf, vnisOf } from './facts.ts';
import { dottedMac, macOctets } from './mac.ts';
import { type MacFilter, type MacRow, MacTable, matches } from './mac-table.ts';
import { PortSecurity, type SecureFilter, type SecureRow, type Source } from './port-security.ts';

/** A row as `show mac address-table` has it. */
export interface ShownMacRow extends MacRow {
  readonly type: 'dynamic' | 'static';
}

/** Where nothing is configured: 300 s each. */
const ageingMs = 300_000;
const recoverySeconds = 300;
/** Back and forth within this time is a flap [weak: how a Catalyst counts is not documented]. */
const flapMs = 15_000;

export class Switch extends Chassis {
  readonly security = new PortSecurity();
  readonly #macs = new MacTable(ageingMs);
  /** By err-disabled port: what cancels its recovery. */
  readonly #recoveries = new Map<string, () => void>();
  #lastMove: { readonly row: MacRow; readonly from: string; readonly at: number } | undefined;

  ports(): readonly PortFacts[] {
    return portsOf(this.running);
  }

  /** Secure rows; those of ports that are down stay in sight, as sticky ones do on the device. */
  secureRows(filter: SecureFilter = {}): readonly SecureRow[] {
    return this.security.rows(this.ports(), filter);
  }

  /** What is secure is static, and wins over what was learned [so on Catalyst 2960 to 9300]. */
  macRows(filter: MacFilter = {}): readonly ShownMacRow[] {
    const up = new Set(this.interfaces().flatMap((each) => (each.up ? [each.name] : [])));
    const pinned = this.secureRows().filter(({ port }) => up.has(port));
    const isPinned = (row: MacRow) => pinned.some(({ mac, vlan }) => mac === row.mac && vlan === row.vlan);
    const learned = this.#macs.rows(this.wall.monotonic()).filter((row) => !isPinned(row));
    return [
      ...pinned.map(({ vlan, mac, port }) => ({ vlan, mac, port, type: 'static' as const })),
      ...learned.map((row) => ({ ...row, type: 'dynamic' as const })),
    ].filter((row) => matches(row, filter));
  }

  /** A frame with this source comes in at a port. `vlan` as the switch has it. */
  frame(port: string, mac: string, vlan: number): 'forwarded' | 'dropped' {
    const facts = this.ports().find(({ name }) => name === port);
    if (!facts || !this.isUp(port) || !carriesVlan(facts, vlan)) return 'dropped';
    if (facts.security.enabled && !this.#admits(facts, { mac, vlan })) return 'dropped';
    this.#learn({ vlan, mac, port });
    return 'forwarded';
  }

  /** A frame with this source comes out of the VXLAN tunnel. */
  tunnelled(vni: number, mac: string): void {
    const vlan = vnisOf(this.running).find((each) => each.vni === vni)?.vlan;
    if (vlan === undefined || !this.tunnelUp()) return;
    this.#learn({ vlan, mac, port: `nve1.VNI${vni}` });
  }

  /** Whether nve1 has a source interface that is up. */
  tunnelUp(): boolean {
    const source = childrenOf(this.running, 'interface nve1')
      .map(({ line }) => /^source-interface (\S+)$/.exec(line)?.[1])
      .find((name) => name !== undefined);
    return this.isUp('nve1') && source !== undefined && this.isUp(source);
  }

  /** `line` as it was typed, for the log. */
  clearSecure(filter: SecureFilter, line: string, operator: Operator): void {
    const gone = this.secureRows(filter);
    this.command(line, operator, { changed: gone.length > 0, act: () => this.#drop(gone) });
  }

  /** Dynamic rows, and what was learned of a secure address as well: it is not seen until that is no longer secure. */
  clearMacs(filter: MacFilter, line: string, operator: Operator): void {
    const now = this.wall.monotonic();
    const changed = this.#macs.rows(now, filter).length > 0;
    this.command(line, operator, { changed, act: () => void this.#macs.clear(now, filter) });
  }

  protected override stopFunctions(): void {
    for (const cancel of this.#recoveries.values()) cancel();
    this.#recoveries.clear();
    this.#macs.clear(this.wall.monotonic());
    this.security.reset();
    this.#lastMove = undefined;
  }

  protected override reconcileFunctions(): void {
    const ups = new Map(this.interfaces().map(({ name, up }) => [name, up]));
    // `shutdown` ends err-disable; `no shutdown` then brings the port up.
    for (const { name, shutdown } of this.interfaces()) if (shutdown) this.#endErrDisable(name);
    for (const { name, security } of this.ports()) {
      if (!ups.get(name)) this.#macs.clear(this.wall.monotonic(), { port: name });
      if (!ups.get(name) || !security.enabled) this.security.forgetDynamic({ port: name });
    }
    this.#settleSticky();
  }

  /** Turned on, sticky learning makes lines of what was learned; turned off, it takes the lines and keeps what they say. */
  #settleSticky(): void {
    for (const { name, security } of this.ports()) {
      if (!security.enabled) continue;
      if (security.sticky) this.#makeSticky(name);
      else for (const row of security.addresses) if (row.type === 'sticky') this.#makeDynamic(name, row);
    }
  }

  /** One at a time, for each line that is written settles the rest. */
  #makeSticky(name: string): void {
    for (let [row] = this.security.dynamicAt(name); row; [row] = this.security.dynamicAt(name)) {
      const { mac, vlan } = row;
      this.security.forgetDynamic({ port: name, mac, vlans: (each) => each === vlan });
      const port = this.ports().find((each) => each.name === name);
      if (port) this.#writeSticky(port, { mac, vlan });
    }
  }

  #makeDynamic(name: string, { mac, vlan, type }: ConfiguredAddress): void {
    const port = this.ports().find((each) => each.name === name);
    if (!port) return;
    this.#removeLine(port, { mac, vlan, type });
    this.security.addDynamic(name, { mac, vlan });
  }

  #admits(port: PortFacts, source: Source): boolean {
    this.security.sawSource(port.name, source);
    const judged = this.security.judge(port, source, this.ports());
    if (judged === 'violation') this.#violated(port, source);
    else if (judged === 'new' && port.security.sticky) this.#writeSticky(port, source);
    else if (judged === 'new') this.security.addDynamic(port.name, source);
    return judged !== 'violation';
  }

  #writeSticky(port: PortFacts, source: Source): void {
    const line = addressLine(port, { ...source, type: 'sticky' });
    this.configure({ kind: 'set', path: [`interface ${port.name}`], line }, line, learning);
  }

  #violated({ name, security }: PortFacts, { mac }: Source): void {
    if (security.violation === 'protect') return;
    this.security.countViolation(name);
    if (security.violation === 'shutdown') this.#errDisable(name);
    this.syslog(
      'PORT_SECURITY-2-PSECURE_VIOLATION',
      `Security violation occurred, caused by MAC address ${dottedMac(mac)} on port ${name}.`,
    );
    if (security.violation === 'restrict' && this.has('snmp-server enable traps port-security'))
      this.trap(macViolationTrap(this.ifIndex(name), shortInterface(name), macOctets(mac)));
    this.reconcile();
  }

  #errDisable(name: string): void {
    const short = shortInterface(name);
    this.syslog('PM-4-ERR_DISABLE', `psecure-violation error detected on ${short}, putting ${short} in err-disable state`);
    this.errDisabled.add(name);
    if (this.has('snmp-server enable traps errdisable')) this.trap(errDisableTrap(this.ifIndex(name)));
    if (!this.has('errdisable recovery cause psecure-violation')) return;
    const interval = this.running.map(({ line }) => /^errdisable recovery interval (\d+)$/.exec(line)?.[1]).find(Boolean);
    this.#recoveries.set(
      name,
      this.wall.after(Number(interval ?? recoverySeconds) * 1000, () => this.#recover(name)),
    );
  }

  #recover(name: string): void {
    this.syslog('PM-4-ERR_RECOVER', `Attempting to recover from psecure-violation err-disable state on ${shortInterface(name)}`);
    this.#endErrDisable(name);
    this.reconcile();
  }

  #endErrDisable(name: string): void {
    this.#recoveries.get(name)?.();
    this.#recoveries.delete(name);
    this.errDisabled.delete(name);
  }

  #drop(rows: readonly SecureRow[]): void {
    for (const row of rows) {
      const port = this.ports().find(({ name }) => name === row.port);
      if (row.type === 'dynamic')
        this.security.forgetDynamic({ port: row.port, mac: row.mac, vlans: (vlan) => vlan === row.vlan });
      else if (port) this.#removeLine(port, row);
    }
  }

  #removeLine(port: PortFacts, address: { readonly mac: string; readonly vlan: number; readonly type: SecureRow['type'] }): void {
    const line = addressLine(port, address);
    this.rewrite({ kind: 'unset', path: [`interface ${port.name}`], matches: new RegExp(`^${line.replaceAll('.', '\\.')}$`) });
  }

  #learn(row: MacRow): void {
    const pinned = this.secureRows({ mac: row.mac, vlans: (vlan) => vlan === row.vlan }).some(({ port }) => port !== row.port);
    if (pinned) return;
    const now = this.wall.monotonic();
    const before = this.#macs.rows(now, { vlan: row.vlan, mac: row.mac }).length;
    const from = this.#macs.learn(row, now);
    if (from !== undefined) this.#moved(row, from, now);
    if (from !== undefined || before === 0) this.changed();
  }

  #moved(row: MacRow, from: string, at: number): void {
    const last = this.#lastMove;
    this.#lastMove = { row, from, at };
    const back =
      last && last.row.mac === row.mac && last.row.vlan === row.vlan && last.row.port === from && last.from === row.port;
    if (!back || at - last.at > flapMs) return;
    const [one, other] = [shortInterface(from), shortInterface(row.port)];
    this.syslog(
      'SW_MATM-4-MACFLAP_NOTIF',
      `Host ${dottedMac(row.mac)} in vlan ${row.vlan} is flapping between port ${one} and port ${other}`,
    );
  }
}

/** Who writes what port security learns. */
const learning: Operator = { user: 'port-security', peer: '', transport: 'device' };
