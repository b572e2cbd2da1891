// Owns: what the lab uses of net-snmp: its codec and its agent. Tables are told to it, row by row.
import { createRequire } from 'node:module';

interface Column {
  readonly number: number;
  readonly name: string;
  readonly type: number;
  readonly maxAccess: number;
  /** Of type RowStatus. */
  readonly rowStatus?: boolean;
}
export interface TableProvider {
  readonly name: string;
  readonly type: number;
  readonly oid: string;
  readonly maxAccess: number;
  readonly tableColumns: readonly Column[];
  readonly tableIndex: readonly { readonly columnName: string }[];
  /** Of a request about one cell; a set comes twice, to be tested and to be done. */
  readonly handler?: (request: CellRequest) => void;
}
export interface CellRequest {
  readonly oid: string;
  readonly setValue?: unknown;
  /** To be done. */
  readonly commitSet?: boolean;
  done(error?: { readonly errorStatus: number; readonly type: number; readonly value: null }): void;
}
export interface AgentUser {
  readonly name: string;
  readonly level: number;
  readonly authProtocol: number;
  readonly authKey: string;
  readonly privProtocol: number;
  readonly privKey: string;
}
export interface SnmpAgent {
  getMib(): {
    registerProvider(provider: TableProvider): void;
    unregisterProvider(name: string): void;
    addTableRow(table: string, row: readonly (number | string)[]): void;
  };
  getAuthorizer(): {
    addCommunity(community: string): void;
    addUser(user: AgentUser): void;
    getAccessControlModel(): {
      setCommunityAccess(community: string, level: number): void;
      setUserAccess(user: string, level: number): void;
    };
  };
}
export interface SnmpSession {
  trap(
    oid: string,
    varbinds: readonly { readonly oid: string; readonly type: number; readonly value: number | string | Buffer }[],
    options: { readonly upTime: number },
    done: (error: Error | null) => void,
  ): void;
}
interface NetSnmp {
  createAgent(options: object, callback: (error: unknown) => void): SnmpAgent;
  createSession(target: string, community: string, options: object): SnmpSession;
  readonly Version2c: number;
  readonly ObjectType: Readonly<Record<'Integer' | 'OctetString' | 'IpAddress' | 'Null', number>>;
  readonly MibProviderType: { readonly Table: number };
  readonly MaxAccess: Readonly<Record<'not-accessible' | 'read-only' | 'read-create', number>>;
  readonly AccessControlModelType: { readonly Simple: number };
  readonly AccessLevel: { readonly ReadWrite: number };
  readonly SecurityLevel: { readonly authPriv: number };
  readonly AuthProtocols: { readonly sha256: number };
  readonly PrivProtocols: { readonly aes: number };
  readonly ErrorStatus: { readonly InconsistentValue: number };
}
// The package has no types; only what is above is used of it.
export const snmp = createRequire(import.meta.url)('net-snmp') as NetSnmp;

/** Columns that only read; number 0 is an index that is no column. */
export function table(
  name: string,
  oid: string,
  index: readonly string[],
  columns: Readonly<Record<string, readonly [number: number, type: number]>>,
): TableProvider {
  return {
    name,
    type: snmp.MibProviderType.Table,
    oid,
    maxAccess: snmp.MaxAccess['not-accessible'],
    tableColumns: Object.entries(columns).map(([column, [number, type]]) => {
      return { number, name: column, type, maxAccess: snmp.MaxAccess['read-only'] };
    }),
    tableIndex: index.map((columnName) => ({ columnName })),
  };
}
