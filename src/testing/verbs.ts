// Owns: the lines of a story that make something happen, and the words of each.
import { durationMs } from '../model/time.ts';
import type { Story } from './story.ts';
import { vmVerbs } from './vm-verbs.ts';

export interface Verb {
  /** As a reader may write it: shown to whoever writes what is none. */
  readonly example: string;
  readonly form: RegExp;
  readonly act: (story: Story, ...words: string[]) => void | Promise<void>;
}

const gatewayVerbs: readonly Verb[] = [
  // They are loaded before the story begins.
  { example: 'with migration-requested-applies-qos', form: /^with [a-z0-9-]+$/, act: () => undefined },
  { example: 'start', form: /^start$/, act: (story) => story.start() },
  { example: 'restart', form: /^restart$/, act: (story) => story.restart('0s') },
  { example: 'stopped for 1h', form: /^stopped for (\S+)$/, act: (story, span) => story.restart(span) },
  { example: 'wait 10s', form: /^wait (\S+)$/, act: (story, span) => story.wait(span) },
  { example: 'show apply done', form: /^show (.+)$/, act: (story, words) => story.show(words) },
  {
    example: 'gw-a says %SYS-5-CONFIG_I: Configured from console by admin',
    form: /^(\S+) says (.+)$/,
    act: (story, target, text) => story.syslog(target, text),
  },
  {
    example: 'gw-a traps active on Vlan10 group 10',
    form: /^(\S+) traps (\S+) on (\S+) group (\d+)$/,
    act: (story, target, state, name, group) => story.trap(target, state, name, Number(group)),
  },
  {
    example: 'gw-a is unreachable',
    form: /^(\S+) is unreachable$/,
    act: (story, target) => story.world.setUnreachable(target),
  },
  { example: 'gw-a is reachable', form: /^(\S+) is reachable$/, act: (story, target) => story.world.setReachable(target) },
  { example: 'gw-a is garbled', form: /^(\S+) is garbled$/, act: (story, target) => story.world.set(target, { garbled: true }) },
  {
    example: 'gw-a is readable',
    form: /^(\S+) is readable$/,
    act: (story, target) => story.world.set(target, { garbled: false }),
  },
  {
    example: 'gw-a answers in 2s',
    form: /^(\S+) answers in (\S+)$/,
    act: (story, target, span) => story.world.set(target, { answerMs: durationMs(span) }),
  },
  {
    example: 'gw-a has 23.0.0.0/8',
    form: /^(\S+) has (\d\S+)$/,
    act: (story, target, prefix) => void story.world.gateways.device(target).networks.set(prefix, Number.NEGATIVE_INFINITY),
  },
  {
    example: 'gw-a is active on Vlan10 group 10',
    form: /^(\S+) is ([a-z]+) on (\S+) group (\d+)$/,
    act: (story, target, state, name, group) =>
      story.world.gateways.setState(target, state, { interface: name, group: Number(group) }),
  },
  {
    example: 'gw-a is active',
    form: /^(\S+) is ([a-z]+)$/,
    act: (story, target, state) => story.world.gateways.setState(target, state),
  },
  {
    example: 'gw-a and gw-b flap every 1s for 60s',
    form: /^(\S+) and (\S+) flap every (\S+) for (\S+)$/,
    act: (story, one, other, every, span) => story.flap([one, other], durationMs(every), durationMs(span)),
  },
];

/** The first whose form matches. */
export const verbs: readonly Verb[] = [...vmVerbs, ...gatewayVerbs];

/** The forms nearest to a line that has none: those that share most pairs of letters with it. What has digits is a name, and each is as good as the next. */
export function nearestForms(line: string): readonly string[] {
  const written = pairsOf(line);
  const shared = (example: string): number => {
    const pairs = pairsOf(example);
    const both = [...pairs].filter((pair) => written.has(pair)).length;
    return (2 * both) / (pairs.size + written.size);
  };
  return verbs
    .map(({ example }) => ({ example, near: shared(example) }))
    .sort((a, b) => b.near - a.near)
    .slice(0, 3)
    .map(({ example }) => example);
}

function pairsOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().replace(/ %.*/, ' %').split(/\s+/);
  const form = words.map((word) => (/\d|^gw-/.test(word) ? '#' : word)).join(' ');
  return new Set(Array.from({ length: Math.max(form.length - 1, 0) }, (_, at) => form.slice(at, at + 2)));
}
