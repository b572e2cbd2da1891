// Owns: migrations as libvirt 9.0 told them, measured: when each host's events came, in milliseconds since the migration was
// asked for, and what Offbox makes of each.

export interface Variant {
  readonly name: string;
  readonly words: string;
  /** What it comes to, in whatever order the hosts are heard. */
  readonly ends: string;
}

const there = 'migrated kvm1>kvm2, ended kvm1>kvm2 migrated';
const failed = 'failed kvm1>kvm2, ended kvm1>kvm2 failed';

export const variants: readonly Variant[] = [
  {
    name: 'peer-to-peer, persistent, undefined at the source',
    ends: there,
    words: `
      297 kvm2 started migrated             -> started kvm1>kvm2
      305 kvm1 iteration 1
      307 kvm1 suspended migrated
      310 kvm1 iteration 2
      314 kvm2 defined added
      316 kvm2 resumed migrated             -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      534 kvm1 stopped migrated
      534 kvm1 completed migration-out`,
  },
  {
    name: 'managed by the client',
    ends: there,
    words: `
      888 kvm2 started migrated             -> started kvm1>kvm2
      895 kvm1 iteration 1
      898 kvm1 suspended migrated
      900 kvm1 iteration 2
      907 kvm2 resumed migrated             -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      1124 kvm1 stopped migrated
      1124 kvm1 completed migration-out`,
  },
  {
    name: 'of a busy guest, whose destination is heard late',
    ends: there,
    words: `
      317 kvm1 iteration 1
      372 kvm1 suspended migrated
      374 kvm1 iteration 2
      390 kvm2 started migrated             -> started kvm1>kvm2
      396 kvm2 defined added
      398 kvm2 resumed migrated             -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      618 kvm1 stopped migrated
      618 kvm1 completed migration-out`,
  },
  {
    name: 'tunnelled through libvirtd',
    ends: there,
    words: `
      297 kvm2 started migrated             -> started kvm1>kvm2
      308 kvm1 iteration 1
      310 kvm1 suspended migrated
      313 kvm1 iteration 2
      317 kvm2 defined added
      319 kvm2 resumed migrated             -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      537 kvm1 stopped migrated
      537 kvm1 completed migration-out`,
  },
  {
    name: 'post-copy: it runs at its destination before the rest of it has come',
    ends: there,
    words: `
      310 kvm2 started migrated             -> started kvm1>kvm2
      317 kvm1 iteration 1
      3121 kvm1 suspended migrated
      3123 kvm1 suspended post-copy
      3123 kvm1 iteration 2
      3132 kvm2 resumed post-copy           -> migrated kvm1>kvm2
      3144 kvm2 resumed migrated            -> ended kvm1>kvm2 migrated
      4765 kvm1 stopped migrated
      4765 kvm1 completed migration-out`,
  },
  {
    name: 'left paused at its destination (--suspend)',
    ends: there,
    words: `
      354 kvm2 started migrated             -> started kvm1>kvm2
      365 kvm1 iteration 1
      370 kvm1 suspended migrated
      372 kvm1 iteration 2
      382 kvm2 suspended paused             -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      2202 kvm1 stopped migrated
      2202 kvm1 completed migration-out`,
  },
  {
    name: 'of a guest that was paused before: the source suspends nothing',
    ends: there,
    words: `
      354 kvm2 started migrated             -> started kvm1>kvm2
      365 kvm1 iteration 1
      372 kvm1 iteration 2
      382 kvm2 suspended paused             -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      2202 kvm1 stopped migrated
      2202 kvm1 completed migration-out`,
  },
  {
    name: 'aborted early: the source says nothing of it',
    ends: failed,
    words: `
      309 kvm2 started migrated             -> started kvm1>kvm2
      315 kvm1 iteration 1
      4153 kvm2 stopped failed              -> failed kvm1>kvm2, ended kvm1>kvm2 failed`,
  },
  {
    name: 'aborted late, in the switch-over: the source resumes it, which a client in mid-migration does as well',
    ends: failed,
    words: `
      309 kvm2 started migrated             -> started kvm1>kvm2
      316 kvm1 iteration 1
      1042 kvm1 iteration 2
      1043 kvm1 suspended migrated
      1044 kvm1 iteration 3
      13517 kvm1 resumed unpaused
      15340 kvm2 stopped failed             -> failed kvm1>kvm2, ended kvm1>kvm2 failed`,
  },
  {
    name: 'whose destination QEMU is killed',
    ends: failed,
    words: `
      316 kvm2 started migrated             -> started kvm1>kvm2
      328 kvm1 iteration 1
      3042 kvm2 stopped failed              -> failed kvm1>kvm2, ended kvm1>kvm2 failed`,
  },
  {
    name: 'whose network is cut: the destination gives up after its keepalive',
    ends: failed,
    words: `
      361 kvm2 started migrated             -> started kvm1>kvm2
      372 kvm1 iteration 1
      31648 kvm2 shutdown finished after host request
      31648 kvm2 stopped destroyed          -> failed kvm1>kvm2, ended kvm1>kvm2 failed`,
  },
  {
    name: 'whose source libvirtd is killed, and comes back: it is still there, and nothing is said of it',
    ends: failed,
    words: `
      318 kvm2 started migrated             -> started kvm1>kvm2
      327 kvm1 iteration 1
      3700 kvm1 lists running/booted
      4524 kvm2 shutdown finished after host request
      4524 kvm2 stopped destroyed           -> failed kvm1>kvm2, ended kvm1>kvm2 failed`,
  },
  {
    name: 'paused and resumed by a client in mid-migration: the source says what it says of a late abort',
    ends: there,
    words: `
      309 kvm2 started migrated             -> started kvm1>kvm2
      316 kvm1 iteration 1
      2000 kvm1 suspended migrated
      3000 kvm1 resumed unpaused
      9000 kvm1 suspended migrated
      9002 kvm1 iteration 2
      9009 kvm2 resumed migrated            -> migrated kvm1>kvm2, ended kvm1>kvm2 migrated
      9200 kvm1 stopped migrated
      9200 kvm1 completed migration-out`,
  },
];
