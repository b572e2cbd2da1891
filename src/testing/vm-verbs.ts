// Owns: the lines of a story about guests, hypervisors and switch ports.
import { dscpWord } from '../model/dscp.ts';
import { interfaceName } from '../model/interface-name.ts';
import type { MeaningOf } from '../model/meaning.ts';
import { durationMs } from '../model/time.ts';
import { type BreakName, breaks, type MigrationPlan, type ScriptName, scripts } from './migration-scripts.ts';
import type { Story } from './story.ts';
import type { Verb } from './verbs.ts';

const gib = 2 ** 30;
const mac = '(?:[0-9a-f]{2}:){5}[0-9a-f]{2}';

const guestVerbs: readonly Verb[] = [
  {
    example: 'kvm1 has web1 52:54:00:aa:bb:01',
    form: new RegExp(`^(\\S+) has (\\S+) (${mac}(?: and ${mac})*)(, shut off)?$`),
    act: (story, host, vm, macs, off) => {
      const nics = macs.split(' and ').map((each, index) => ({ mac: each, source: 'br0', vlan: guestVlan(story, host, index) }));
      story.world.hypervisors.add(host, vm, nics, off ? 'shut off' : 'running');
    },
  },
  {
    example: 'web1 migrates to kvm2, taking 20s',
    form: /^(\S+) migrates to (\S+?)(?:, (.+))?$/,
    act: (story, vm, to, how) => story.world.hypervisors.migrate(vm, to, planOf(how)),
  },
  {
    example: "web1's next migration: taking 20s, its destination dies after 3s",
    form: /^(\S+)'s next migration: (.+)$/,
    act: ({ world }, vm, how) => {
      world.hypervisors.guest(vm).whenAsked = planOf(how);
    },
  },
  {
    example: "web1's migration is aborted",
    form: /^(\S+)'s migration is aborted$/,
    act: (story, vm) => story.world.hypervisors.abort(vm),
  },
  {
    example: 'a client suspends web1',
    form: /^a client (suspends|resumes) (\S+)$/,
    act: (story, does, vm) => story.world.hypervisors.client(vm, does as 'suspends' | 'resumes'),
  },
  {
    example: 'kvm1 shuts web1 down',
    form: /^(\S+) shuts (\S+) down$/,
    act: (story, host, vm) => story.world.hypervisors.shutDown(host, vm),
  },
  {
    example: 'web1 is still heard at kvm1 for 3s',
    form: /^(\S+) is still heard at (\S+) for (\S+)$/,
    act: (story, vm, host, span) => story.world.hypervisors.lingers(vm, host, durationMs(span)),
  },
  {
    example: 'somebody asks for web1 from kvm1 to kvm2, performed by Offbox, allowing relax',
    form: /^somebody asks for (\S+) from (\S+) to (\S+?)(?:, (.+))?$/,
    act: (story, vm, from, to, how) => {
      const { uuid } = story.world.hypervisors.guest(vm);
      const meaning = { kind: 'vm.migration-requested', vm, uuid, from, to, ...askedFor(how) } as const;
      return story.orchestrator(meaning, `asks for ${vm} from ${from} to ${to}${how ? `, ${how}` : ''}`);
    },
  },
  {
    example: 'somebody calls web1 off, from kvm1 to kvm2',
    form: /^somebody calls (\S+) off, from (\S+) to (\S+?)(?:, as (\S+))?$/,
    act: (story, vm, from, to, request) => {
      const { uuid } = story.world.hypervisors.guest(vm);
      const meaning = {
        kind: 'vm.migration-ended',
        vm,
        uuid,
        from,
        to,
        how: 'cancelled',
        ...(request ? { request } : {}),
      } as const;
      return story.orchestrator(meaning, `calls ${vm} off${request ? `, as ${request}` : ''}`);
    },
  },
];

const hypervisorVerbs: readonly Verb[] = [
  {
    example: "kvm2's stream is lost",
    form: /^(\S+)'s stream is (lost|back)$/,
    act: (story, host, is) => story.stream(host, is as 'lost' | 'back'),
  },
  {
    example: 'kvm2 has no storage pool vms',
    form: /^(\S+) has no storage pool (\S+)$/,
    act: ({ world }, host, pool) => {
      const { row } = world.hypervisors.host(host);
      row.pools = row.pools.filter(({ name }) => name !== pool);
    },
  },
  {
    example: 'kvm2 has pool vms at /srv/vms',
    form: /^(\S+) has pool (\S+) at (\S+)$/,
    act: (story, host, pool, path) => changePool(story, host, pool, { path }),
  },
  {
    example: 'kvm2 has 10 GiB free in pool vms',
    form: /^(\S+) has (\d+) GiB free in pool (\S+)$/,
    act: (story, host, free, pool) => changePool(story, host, pool, { availableBytes: Number(free) * gib }),
  },
  {
    example: 'kvm2 has no bridge br0',
    form: /^(\S+) has no bridge (\S+)$/,
    act: ({ world }, host, bridge) => {
      const { row } = world.hypervisors.host(host);
      row.networks = row.networks.filter((name) => name !== bridge);
    },
  },
  {
    example: 'kvm2 has a Broadwell CPU',
    form: /^(\S+) has an? (\S+) CPU$/,
    act: ({ world }, host, model) => {
      world.hypervisors.host(host).row.cpuModel = model;
    },
  },
  {
    example: 'web1 has the CPU host-model',
    form: /^(\S+) has the CPU (\S+)$/,
    act: ({ world }, vm, cpu) => {
      world.hypervisors.guest(vm).cpu = cpu;
    },
  },
];

const switchVerbs: readonly Verb[] = [
  {
    example: 'acc-1 has EDGE-DEFAULT on Gi1/0/24',
    form: /^(\S+) has (\S+) on (\S+)$/,
    act: ({ world }, target, policy, port) => {
      world.switches.port(target, port).output = policy === 'nothing' ? null : policy;
    },
  },
  {
    example: 'acc-1 Gi1/0/1 shuts down on violations',
    form: /^(\S+) (\S+) (shuts down on|restricts) violations$/,
    act: ({ world }, target, port, does) => {
      world.switches.port(target, port).security.violation = does === 'restricts' ? 'restrict' : 'shutdown';
    },
  },
  {
    example: 'acc-1 Gi1/0/1 is err-disabled',
    form: /^(\S+) (\S+) is err-disabled$/,
    act: ({ world }, target, port) => {
      world.switches.port(target, port).security.status = 'secure-shutdown';
    },
  },
  {
    example: 'acc-2 Gi1/0/1 has native VLAN 20',
    form: /^(\S+) (\S+) has native VLAN (\d+)$/,
    act: ({ world }, target, port, vlan) => {
      const found = world.switches.port(target, port);
      found.switchport = { ...found.switchport, native: Number(vlan) };
    },
  },
  {
    example: 'acc-2 maps VLAN 20 to VNI 10099',
    form: /^(\S+) maps VLAN (\d+) to VNI (\d+)$/,
    act: ({ world }, target, vlan, vni) => void world.switches.switch(target).vnis.set(Number(vlan), Number(vni)),
  },
  {
    example: 'acc-1 has no policy-map LIVE-MIGRATION',
    form: /^(\S+) has no policy-map (\S+)$/,
    act: ({ world }, target, policy) => void world.switches.switch(target).policyMaps.delete(policy),
  },
  {
    example: 'acc-1 takes af41 by LIVE-MIGRATION',
    form: /^(\S+) takes (\S+) by (\S+)$/,
    act: ({ world }, target, dscp, policy) => void world.switches.switch(target).policyMaps.set(policy, [dscpWord(dscp)]),
  },
  {
    example: 'acc-1 reaches 10.255.0.2 by Gi1/0/23',
    form: /^(\S+) reaches (\S+) by (\S+)$/,
    act: ({ world }, target, address, port) => void world.switches.switch(target).routes.set(address, interfaceName(port)),
  },
];

export const vmVerbs: readonly Verb[] = [...guestVerbs, ...hypervisorVerbs, ...switchVerbs];

/** Its first NIC in the first VLAN of its host's port, the next in the next. */
function guestVlan(story: Story, host: string, index: number): number {
  const vlans = story.vlansOf(host);
  return vlans[index % vlans.length] ?? 1;
}

function changePool(
  { world }: Story,
  host: string,
  pool: string,
  change: { readonly path?: string; readonly availableBytes?: number },
): void {
  const { row } = world.hypervisors.host(host);
  row.pools = row.pools.map((each) => (each.name === pool ? { ...each, ...change } : each));
}

/** `post-copy, taking 20s`, `its destination dies after 3s`. */
function planOf(words: string | undefined): MigrationPlan {
  let plan: MigrationPlan = { script: 'peer-to-peer' };
  for (const word of words?.split(', ') ?? []) {
    const taking = /^taking (\S+)$/.exec(word)?.[1];
    const [, how = '', after = ''] = /^(.+) after (\S+)$/.exec(word) ?? [];
    if (Object.hasOwn(scripts, word)) plan = { ...plan, script: word as ScriptName };
    else if (taking !== undefined) plan = { ...plan, takingMs: durationMs(taking) };
    else if (Object.hasOwn(breaks, how)) plan = { ...plan, breaks: { how: how as BreakName, afterMs: durationMs(after) } };
    else
      throw new RangeError(
        `a migration is ${[...Object.keys(scripts), 'taking 20s', ...Object.keys(breaks).map((each) => `${each} after 3s`)].join(', or ')}, not "${word}"`,
      );
  }
  return plan;
}

type Asked = Pick<MeaningOf<'vm.migration-requested'>, 'request' | 'perform' | 'allow' | 'bandwidthMiBs'>;

/** `performed by Offbox, allowing relax, as r-7`. */
function askedFor(words: string | undefined): Asked {
  let asked: Asked = { request: 'r-1', perform: false };
  for (const word of words?.split(', ') ?? []) {
    const allowed = /^allowing (relax|post-copy)$/.exec(word)?.[1] as 'relax' | 'post-copy' | undefined;
    const named = /^as (\S+)$/.exec(word)?.[1];
    if (word === 'performed by Offbox') asked = { ...asked, perform: true };
    else if (allowed) asked = { ...asked, allow: [...(asked.allow ?? []), allowed] };
    else if (named !== undefined) asked = { ...asked, request: named };
    else throw new RangeError(`a request is performed by Offbox, allowing relax, allowing post-copy or as r-7, not "${word}"`);
  }
  return asked;
}
