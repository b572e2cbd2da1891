// Owns: what others call of SNMP as a way to read and set.
export { type SnmpActuatorOptions, snmpActuator } from './session.ts';
