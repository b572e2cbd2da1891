// Owns: what others call of NETCONF over SSH.
export { type NetconfActuatorOptions, netconfActuator } from './session.ts';
