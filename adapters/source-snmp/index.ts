// Owns: what the snmp source gives to others.

export type { AuthProtocol, PrivProtocol, SecurityLevel, SnmpUser } from '../snmp/users.ts';
export { type DecodedTrap, decodeTrap } from './decode.ts';
export type { Agent } from './resolve.ts';
export { type SnmpSourceOptions, snmpSource } from './source.ts';
