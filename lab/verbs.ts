// Owns: the words of the lab's control socket: what can be asked, of whom, and what is answered.
import { OperatorError } from '../src/model/errors.ts';
import type { Faults } from './faults.ts';
import {
  type GatewayName,
  gatewayNames,
  type HypervisorName,
  hypervisorNames,
  type SwitchName,
  switchNames,
} from './model/addresses.ts';
import type { HypervisorState, Hypervisors, LabMigration, VmState } from './model/hypervisor.ts';
import type { ExternalRoute } from './model/network.ts';
import { LibvirtRefusal } from './model/virt/refusal.ts';
import type { SwitchFaults } from './switch-faults.ts';

/** One gateway as it is now. */
export interface GatewayState {
  readonly gateway: GatewayName;
  readonly address: string;
  readonly power: 'on' | 'off';
  /** `hang`, `silence`, `split`, `link-down`. */
  readonly faults: readonly string[];
  readonly hsrp: readonly {
    readonly interface: string;
    readonly group: number;
    readonly state: string;
    readonly priority: number;
  }[];
  /** Prefixes its configuration has a network statement for. */
  readonly networks: readonly string[];
}

/** One access switch as it is now. */
export interface SwitchState {
  readonly switch: SwitchName;
  readonly address: string;
  readonly power: 'on' | 'off';
  /** `hang`, `unreachable`. */
  readonly faults: readonly string[];
  readonly ports: readonly {
    readonly interface: string;
    readonly status: 'up' | 'down' | 'err-disabled';
    readonly violations: number;
    /** What port security does on one; null where it is off. */
    readonly violation: 'shutdown' | 'restrict' | 'protect' | null;
    /** `52:54:00:aa:bb:02 vlan 10 sticky`. */
    readonly secure: readonly string[];
    /** The policy-map attached on the way out. */
    readonly output: string | null;
  }[];
}

export interface LabState {
  readonly gateways: readonly GatewayState[];
  readonly switches: readonly SwitchState[];
  readonly hypervisors: readonly HypervisorState[];
  readonly external: readonly ExternalRoute[];
}

export interface Controlled extends Faults {
  readonly switchFaults: SwitchFaults;
  readonly hypervisors: Hypervisors<HypervisorName>;
  state(): LabState;
  external(): readonly ExternalRoute[];
}

interface Verb {
  /** As help shows it, behind the verb. */
  readonly words: string;
  /** Throws an OperatorError where it cannot be done; what it returns does it. */
  readonly prepare: (words: readonly string[], lab: Controlled) => () => Promise<unknown>;
}

/** Times and span of a flap are bounded: it is answered when it is over. */
const flapTimesMax = 1_000;
const flapEveryMsMax = 60_000;

const doing = (act: () => Promise<void> | void, told: string) => async (): Promise<string> => {
  await act();
  return told;
};

const onGateway = (told: string, act: (lab: Controlled, name: GatewayName) => Promise<void> | void): Verb => ({
  words: 'GATEWAY',
  prepare(words, lab) {
    const name = gateway(words[0]);
    noMore(words, 1);
    return doing(() => act(lab, name), `${name} ${told}`);
  },
});

/** Of a gateway, or of a switch. */
const onDevice = (
  told: string,
  toGateway: (lab: Controlled, name: GatewayName) => Promise<void> | void,
  toSwitch: (lab: Controlled, name: SwitchName) => Promise<void> | void,
): Verb => ({
  words: 'GATEWAY|SWITCH',
  prepare(words, lab) {
    const name = oneOf([...gatewayNames, ...switchNames], words[0], 'gateway or switch');
    noMore(words, 1);
    const gatewayName = gatewayNames.find((each) => each === name);
    return doing(() => (gatewayName ? toGateway(lab, gatewayName) : toSwitch(lab, name as SwitchName)), `${name} ${told}`);
  },
});

const onHypervisor = (told: string, act: (lab: Controlled, name: HypervisorName) => Promise<void> | void): Verb => ({
  words: 'HYPERVISOR',
  prepare(words, lab) {
    const name = oneOf(hypervisorNames, words[0], 'hypervisor');
    noMore(words, 1);
    return doing(() => act(lab, name), `${name} ${told}`);
  },
});

/** As somebody else's tool would do it, past Offbox; `fail`: the destination's QEMU dies; `abort`: half-way. */
const migrationWords = ['live', 'fail', 'abort', 'offline', 'post-copy'] as const;
const migrationKinds: Readonly<Record<(typeof migrationWords)[number], LabMigration>> = {
  live: {},
  fail: { fail: 'destination' },
  abort: { abortAfterMs: 1_200 },
  offline: { offline: true },
  'post-copy': { postCopy: true },
};

/** A migration that fails is what was asked for, and no fault of the lab's. */
async function migrate(lab: Controlled, vm: string, to: HypervisorName, how: LabMigration): Promise<string> {
  try {
    await lab.hypervisors.migrate(vm, to, how);
    return `${vm} is on ${to}`;
  } catch (thrown) {
    if (!(thrown instanceof LibvirtRefusal)) throw thrown;
    return `${vm} has not moved: ${thrown.message}`;
  }
}

function refuseIdle(lab: Controlled, vm: string): void {
  const { hypervisors } = lab.state();
  const here = hypervisors.find(({ vms }) => vms.some((each) => isCalled(each, vm) && each.migration?.direction === 'out'));
  if (!here) {
    const other = hypervisorNames.find((name) => name !== lab.hypervisors.whereIs(vm)) ?? 'HYPERVISOR';
    throw wrong(
      `${vm} is not being migrated, so nothing is aborted`,
      `Begin a migration first, as in \`offbox lab migrate ${vm} --to ${other}\`.`,
    );
  }
}

/** What libvirtd says no to is told in our words: who asks is no client of it. */
function abort(lab: Controlled, vm: string): void {
  try {
    lab.hypervisors.abort(vm);
  } catch (thrown) {
    if (!(thrown instanceof LibvirtRefusal)) throw thrown;
    throw wrong(`the migration of ${vm} cannot be aborted: ${thrown.message}`, 'Wait until it is over.');
  }
}

const isCalled = ({ vm, uuid }: VmState, word: string): boolean => vm === word || uuid === word;

/** By name or UUID. */
function vmOf(lab: Controlled, word: string | undefined): string {
  const all = lab.state().hypervisors.flatMap(({ vms }) => vms);
  if (word !== undefined && all.some((each) => isCalled(each, word))) return word;
  return oneOf([...new Set(all.map(({ vm }) => vm))], word, 'VM');
}

const verbs: Readonly<Record<string, Verb>> = {
  fail: onDevice(
    'has lost its power',
    (lab, name) => lab.fail(name),
    (lab, name) => lab.switchFaults.fail(name),
  ),
  restore: onDevice(
    'is up again',
    (lab, name) => lab.restore(name),
    (lab, name) => lab.switchFaults.restore(name),
  ),
  reload: {
    words: 'GATEWAY [stale]',
    prepare(words, lab) {
      const name = gateway(words[0]);
      noMore(words, 2);
      if (words[1] !== undefined && words[1] !== 'stale')
        throw wrong(
          `"${words[1]}" is not what a reload takes`,
          'Say "stale" for a startup configuration with an old network statement, or nothing.',
        );
      const stale = words[1] === 'stale';
      const how = stale ? ', with a stale network statement in its startup configuration' : '';
      return doing(() => lab.reload(name, { stale }), `${name} has reloaded${how}`);
    },
  },
  split: onGateway('is cut off from the others on the LAN; its links stay up', (lab, name) => lab.split(name)),
  heal: {
    words: '',
    prepare(words, lab) {
      noMore(words, 0);
      return doing(() => lab.heal(), 'the LAN is whole again');
    },
  },
  flap: {
    words: 'GATEWAY [TIMES [EVERY-MS]]',
    prepare(words, lab) {
      const name = gateway(words[0]);
      noMore(words, 3);
      const times = whole(words[1], 3, flapTimesMax);
      const everyMs = whole(words[2], 200, flapEveryMsMax);
      return doing(() => lab.flap(name, { times, everyMs }), `the LAN link of ${name} went down and up ${times} times`);
    },
  },
  silence: onGateway('sends syslog and traps that nobody gets', (lab, name) => lab.silence(name)),
  hang: onDevice(
    'accepts sessions and says nothing',
    (lab, name) => lab.hang(name),
    (lab, name) => lab.switchFaults.hang(name),
  ),
  unreachable: {
    words: 'SWITCH',
    prepare(words, lab) {
      const name = oneOf(switchNames, words[0], 'switch');
      noMore(words, 1);
      const told = `${name} has lost its management network; it forwards as before`;
      return doing(() => lab.switchFaults.unreachable(name), told);
    },
  },
  'link-down': onGateway('has lost its LAN link', (lab, name) => lab.linkDown(name)),
  'link-up': onGateway('has its LAN link again', (lab, name) => lab.linkUp(name)),
  migrate: {
    words: 'VM HYPERVISOR [live|fail|abort|offline|post-copy]',
    prepare(words, lab) {
      const [, to, how = 'live'] = words;
      const vm = vmOf(lab, words[0]);
      noMore(words, 3);
      const kind = oneOf(migrationWords, how, 'kind of migration');
      const destination = oneOf(hypervisorNames, to, 'hypervisor');
      return () => migrate(lab, vm, destination, migrationKinds[kind]);
    },
  },
  abort: {
    words: 'VM',
    prepare(words, lab) {
      const vm = vmOf(lab, words[0]);
      noMore(words, 1);
      refuseIdle(lab, vm);
      return doing(() => abort(lab, vm), `the migration of ${vm} is aborted`);
    },
  },
  'restart-libvirtd': onHypervisor('has its libvirtd again', (lab, name) => lab.hypervisors.restartLibvirtd(name)),
  cut: onHypervisor('has lost its connections', (lab, name) => lab.hypervisors.cut(name)),
  freeze: onHypervisor('answers nothing; its guests go on', (lab, name) => lab.hypervisors.freeze(name)),
  thaw: onHypervisor('answers again', (lab, name) => lab.hypervisors.thaw(name)),
  state: {
    words: '',
    prepare(words, lab) {
      noMore(words, 0);
      return async () => lab.state();
    },
  },
  external: {
    words: '',
    prepare(words, lab) {
      noMore(words, 0);
      return async () => lab.external();
    },
  },
};

/**
 * Does it, and answers with a sentence or with data. Rejects with an OperatorError that lists what there is. `begun` is called
 * before it is done, and not at all where it cannot be.
 */
export async function obeyVerb(
  lab: Controlled,
  verb: string,
  words: readonly string[],
  begun: () => void = () => {},
): Promise<unknown> {
  if (!Object.hasOwn(verbs, verb)) {
    const known = Object.entries(verbs).map(([name, each]) => `${name} ${each.words}`.trim());
    throw wrong(`"${verb}" is no verb of the lab`, `Say one of: ${known.join(', ')}.`);
  }
  const act = verbs[verb]!.prepare(words, lab);
  begun();
  return act();
}

const gateway = (word: string | undefined) => oneOf(gatewayNames, word, 'gateway');

function oneOf<N extends string>(names: readonly N[], word: string | undefined, kind: string): N {
  const name = names.find((each) => each === word);
  if (name) return name;
  const what = word === undefined ? `the ${kind} is missing` : `"${word}" is no ${kind} of the lab`;
  throw wrong(what, names.length > 0 ? `Say one of: ${names.join(', ')}.` : 'There is none.');
}

function whole(word: string | undefined, otherwise: number, max: number): number {
  if (word === undefined) return otherwise;
  const value = /^\d{1,6}$/.test(word) ? Number(word) : 0;
  if (value >= 1 && value <= max) return value;
  throw wrong(`"${word}" is not a whole number from 1 to ${max}`, 'Correct it, or leave it out.');
}

function noMore(words: readonly string[], count: number): void {
  if (words.length > count) throw wrong(`"${words[count]}" is one word too many`, 'Leave it out.');
}

function wrong(what: string, remedy: string): OperatorError {
  return new OperatorError(`[lab] ${what}`, { code: 'usage', remedy });
}
