// Owns: what others call of acting over libvirt.
export { type LibvirtActuatorOptions, libvirtActuator } from './session.ts';
