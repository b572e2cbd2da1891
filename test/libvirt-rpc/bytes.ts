// Owns: what `virsh event` and a libvirtd 9.0.0 said to each other, word by word off the wire; > is the client, < the server.

const words = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');

export const wire = {
  /** > AUTH_LIST, serial 0 */
  authList: words('0000001c 20008086 00000001 00000042 00000000 00000000 00000000'),
  /** < one type: none */
  authListReply: words('00000024 20008086 00000001 00000042 00000001 00000000 00000000 00000001 00000000'),
  /** > SUPPORTS_FEATURE(10), serial 1 */
  feature: words('00000020 20008086 00000001 0000003c 00000000 00000001 00000000 0000000a'),
  /** < yes */
  featureReply: words('00000020 20008086 00000001 0000003c 00000001 00000001 00000000 00000001'),
  /** > OPEN "qemu:///system", flags 0, serial 2 */
  open: words(
    '00000038 20008086 00000001 00000001 00000000 00000002 00000000 00000001 0000000e 71656d75 3a2f2f2f 73797374 656d0000 00000000',
  ),
  /** < done */
  openReply: words('0000001c 20008086 00000001 00000001 00000001 00000002 00000000'),
  /** > REGISTER_ANY event 0, every domain, serial 6 */
  register: words('00000024 20008086 00000001 0000013c 00000000 00000006 00000000 00000000 00000000'),
  /** < callback 30 */
  registerReply: words('00000020 20008086 00000001 0000013c 00000001 00000006 00000000 0000001e'),
  /** < callback 30: vm2, id 14, suspended paused. Serial 1, which is that of the feature call. */
  suspended: words(
    '00000044 20008086 00000001 0000013e 00000002 00000001 00000000 0000001e 00000003 766d3200 c7a5fdbd 00004000 80000000 00000002 0000000e 00000003 00000000',
  ),
  /** Either side. */
  ping: words('0000001c 6b656570 00000001 00000001 00000002 00000000 00000000'),
  pong: words('0000001c 6b656570 00000001 00000002 00000002 00000000 00000000'),
} as const;
