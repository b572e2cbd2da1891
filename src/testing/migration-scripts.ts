// Owns: what both hypervisors say of a migration and when, measured with libvirt 9.0 and QEMU 7.2: milliseconds, which of
// them, what it says. Their two streams have no common order but this one.

export interface Step {
  readonly ms: number;
  readonly host: 'from' | 'to';
  /** `suspended migrated`, `iteration 2`; `no job` is not said: what is asked then shows none. */
  readonly says: string;
}

export interface Script {
  /** From the request on. */
  readonly begin: readonly Step[];
  /** The memory is copied for so long, where the story says nothing else. */
  readonly copyMs: number;
  /** From the end of the copy on. */
  readonly end: readonly Step[];
}

/** How a migration breaks off, from the moment that it does. */
export interface Break {
  readonly steps: readonly Step[];
  /** The source's libvirtd is away for so long. */
  readonly awayMs?: number;
  /** What the source's libvirtd then tells whoever asks for the reason. */
  readonly failure: string;
}

const steps = (text: string): readonly Step[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [, ms, host, says] = /^(\d+) (from|to) (.+)$/.exec(line.trim())!;
      return { ms: Number(ms), host: host as Step['host'], says: says! };
    });

const begin = steps(`
  297 to started migrated
  305 from iteration 1`);

export const scripts = {
  'peer-to-peer': {
    begin,
    copyMs: 2,
    end: steps(`
      0 from suspended migrated
      3 from iteration 2
      7 to defined added
      9 to resumed migrated
      20 to no job
      227 from stopped migrated
      227 from completed migration-out`),
  },
  managed: {
    begin: steps(`
      888 to started migrated
      895 from iteration 1`),
    copyMs: 3,
    end: steps(`
      0 from suspended migrated
      2 from iteration 2
      9 to resumed migrated
      20 to no job
      226 from stopped migrated
      226 from completed migration-out`),
  },
  tunnelled: {
    begin: steps(`
      297 to started migrated
      308 from iteration 1`),
    copyMs: 2,
    end: steps(`
      0 from suspended migrated
      3 from iteration 2
      7 to defined added
      9 to resumed migrated
      20 to no job
      227 from stopped migrated
      227 from completed migration-out`),
  },
  offline: { begin: steps('29 to defined added'), copyMs: 0, end: [] },
  'post-copy': {
    begin: steps(`
      310 to started migrated
      317 from iteration 1`),
    copyMs: 2804,
    end: steps(`
      0 from suspended migrated
      2 from suspended post-copy
      2 from iteration 2
      11 to resumed post-copy
      23 to resumed migrated
      34 to no job
      1644 from stopped migrated
      1644 from completed migration-out`),
  },
  suspended: {
    begin: steps(`
      354 to started migrated
      365 from iteration 1`),
    copyMs: 5,
    end: steps(`
      0 from suspended migrated
      2 from iteration 2
      12 to suspended paused
      23 to no job
      1832 from stopped migrated
      1832 from completed migration-out`),
  },
  // The switch-over hangs; its abort takes effect when QEMU lets go of its lock.
  'aborted late': {
    begin: steps(`
      309 to started migrated
      316 from iteration 1`),
    copyMs: 726,
    end: steps(`
      0 from iteration 2
      1 from suspended migrated
      2 from iteration 3
      12475 from no job
      12475 from resumed unpaused
      14298 to stopped failed`),
  },
  // A hook says no, or a bridge is missing: no event anywhere.
  'fails before it starts': { begin: [], copyMs: 0, end: [] },
} as const satisfies Readonly<Record<string, Script>>;

export type ScriptName = keyof typeof scripts;

export const breaks = {
  'is aborted': {
    failure: "operation aborted: job 'migration out' canceled by client",
    steps: steps(`
      0 from no job
      24 to control-error
      36 to stopped failed`),
  },
  'its destination dies': {
    failure: 'internal error: qemu unexpectedly closed the monitor',
    steps: steps(`
      9 to stopped failed
      94 from no job`),
  },
  // Until the keepalives of both libvirtds give up: 5 s, six times.
  'its network is cut': {
    failure: 'internal error: client socket is closed',
    steps: steps(`
      30000 from no job
      31275 to shutdown finished after host request
      31275 to stopped destroyed`),
  },
  'the source libvirtd is killed': {
    failure: 'End of file while reading data: Input/output error',
    awayMs: 1_000,
    steps: steps(`
      1000 from no job
      1900 to shutdown finished after host request
      1900 to stopped destroyed`),
  },
} as const satisfies Readonly<Record<string, Break>>;

export type BreakName = keyof typeof breaks;

/** As a story says it behind `web1 migrates to kvm2, `. */
export interface MigrationPlan {
  readonly script: ScriptName;
  readonly takingMs?: number;
  readonly breaks?: { readonly how: BreakName; readonly afterMs: number };
}
