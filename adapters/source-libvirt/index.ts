// Owns: what others call of the libvirt source.
export { type LibvirtSourceOptions, libvirtSource } from './source.ts';
