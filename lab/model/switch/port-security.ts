// Owns: port security of one switch: which addresses are secure on which port, whether a frame may come in, and what was
// counted. Sticky and configured addresses are lines of the configuration and are read from there; dynamic ones are here.
//
// S1 An address is secure on one port of a VLAN at most: seen on another secure port it is a violation there.
// S2 Secure addresses do not age, and are not the MAC address table's: clearing that leaves them.
import type { PortFacts } from './facts.ts';

export interface SecureRow {
  readonly port: string;
  readonly mac: string;
  readonly vlan: number;
  readonly type: 'sticky' | 'dynamic' | 'configured';
}

export interface SecureFilter {
  /** Absent: every type. */
  readonly type?: SecureRow['type'];
  readonly mac?: string;
  readonly port?: string;
  /** Absent: every VLAN. */
  readonly vlans?: (vlan: number) => boolean;
}

export interface Source {
  readonly mac: string;
  readonly vlan: number;
}

export class PortSecurity {
  #dynamic: readonly SecureRow[] = [];
  readonly #violations = new Map<string, number>();
  readonly #lastSource = new Map<string, Source>();

  /** Of the ports where it is on, by port, those with a line first. */
  rows(ports: readonly PortFacts[], filter: SecureFilter = {}): readonly SecureRow[] {
    return ports
      .filter(({ security }) => security.enabled)
      .flatMap(({ name, security }) => [
        ...security.addresses.map((address): SecureRow => ({ port: name, ...address })),
        ...this.#dynamic.filter(({ port }) => port === name),
      ])
      .filter((row) => fits(row, filter));
  }

  /** What a frame at a port with port security is: of an address it has, of one it may learn, or a violation. */
  judge(port: PortFacts, { mac, vlan }: Source, ports: readonly PortFacts[]): 'known' | 'new' | 'violation' {
    const rows = this.rows(ports);
    const holder = rows.find((row) => row.mac === mac && row.vlan === vlan);
    if (holder) return holder.port === port.name ? 'known' : 'violation';
    return rows.filter((row) => row.port === port.name).length < port.security.maximum ? 'new' : 'violation';
  }

  addDynamic(port: string, { mac, vlan }: Source): void {
    this.#dynamic = [...this.#dynamic, { port, mac, vlan, type: 'dynamic' }];
  }

  dynamicAt(port: string): readonly SecureRow[] {
    return this.#dynamic.filter((row) => row.port === port);
  }

  forgetDynamic(filter: SecureFilter): void {
    this.#dynamic = this.#dynamic.filter((row) => !fits(row, filter));
  }

  sawSource(port: string, source: Source): void {
    this.#lastSource.set(port, source);
  }

  countViolation(port: string): void {
    this.#violations.set(port, this.violations(port) + 1);
  }

  violations(port: string): number {
    return this.#violations.get(port) ?? 0;
  }

  lastSource(port: string): Source | undefined {
    return this.#lastSource.get(port);
  }

  /** Power is gone. */
  reset(): void {
    this.#dynamic = [];
    this.#violations.clear();
    this.#lastSource.clear();
  }
}

function fits(row: SecureRow, { type, mac, port, vlans }: SecureFilter): boolean {
  return (
    (type ?? row.type) === row.type &&
    (mac ?? row.mac) === row.mac &&
    (port ?? row.port) === row.port &&
    (vlans?.(row.vlan) ?? true)
  );
}
