// Owns: what the snmp source gives to others.
export { type DecodedTrap, decodeTrap } from './decode.ts';
export type { Agent } from './resolve.ts';
export { type SnmpSourceOptions, snmpSource } from './source.ts';
export type { AuthProtocol, PrivProtocol, SecurityLevel, SnmpUser } from './users.ts';
