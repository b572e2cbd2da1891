// Owns: words of hypervisors as lines, `305 kvm1 iteration 1 -> started`: when, which host, what it says, what that means.
import { expect } from 'vitest';
import type { Told } from '../../src/core/vm-migration.ts';
import { Vms } from '../../src/core/vms.ts';
import type { EntryBody } from '../../src/model/entry.ts';
import type { Meaning, MeaningOf, Nic } from '../../src/model/meaning.ts';
import { eventOf, start } from './rig.ts';

export const web1 = {
  vm: 'web1',
  uuid: '11111111-2222-3333-4444-555555555501',
  nics: [{ mac: '52:54:00:aa:bb:01', source: 'br-data', vlan: 20 }],
};

interface Vm {
  readonly vm: string;
  readonly uuid: string;
  readonly nics: Nic[];
}
type Lifecycle = MeaningOf<'vm.lifecycle'>['event'];

const lifecycles = ['defined', 'undefined', 'started', 'suspended', 'resumed', 'stopped', 'shutdown'];
/** At these the XML can be read. */
const withNics = ['defined', 'started', 'suspended', 'resumed'];

/** `nothing`, or a state and reason as libvirt names them, `running/booted`, and in a reading the job. */
function rowOf(words: readonly string[], { vm, uuid, nics }: Vm) {
  if (words[0] === 'nothing') return undefined;
  const [state, reason] = words[0]!.split('/');
  return { vm, uuid, nics, state: state as 'running', reason: reason!, ...(words[1] ? { job: words[1] } : {}) };
}

/** The entries of what a host says. */
export function entriesOf(host: string, said: string, of: Vm = web1): readonly EntryBody[] {
  const { vm, uuid, nics } = of;
  const [word, ...rest] = said.split(' ');
  const event = (meaning: Meaning): EntryBody => ({ kind: 'event', event: eventOf(host, meaning) });
  const detail = rest.join(' ');
  if (lifecycles.includes(word!)) {
    const seen = withNics.includes(word!) ? { nics } : {};
    return [event({ kind: 'vm.lifecycle', vm, uuid, event: word as Lifecycle, detail, ...seen })];
  }
  const row = word === 'lists' || word === 'reads' ? rowOf(rest, of) : undefined;
  switch (word) {
    case 'iteration':
      return [event({ kind: 'vm.migration-iteration', vm, uuid, iteration: Number(detail) })];
    case 'completed':
      return [event({ kind: 'vm.job-completed', vm, uuid, operation: detail })];
    case 'asked':
      return [event({ kind: 'vm.migration-requested', vm, uuid, from: host, to: detail, request: 'r-1', perform: false })];
    case 'marked':
      return [event({ kind: 'vm.metadata-changed', vm, uuid, type: 'element', request: { to: detail } })];
    case 'lists':
      return [
        ...(row ? [event({ kind: 'vm.observed', ...row })] : []),
        event({ kind: 'vm.listed', uuids: row ? [row.uuid] : [] }),
      ];
    case 'reads':
      return [
        {
          kind: 'reading',
          reading: {
            target: host,
            query: 'domains',
            intent: 'p@v1/1/0',
            result: { kind: 'rows', rows: row ? [row] : [] },
            tookMs: 5,
          },
        },
      ];
    default:
      throw new Error(`no such word: ${said}`);
  }
}

/** `started kvm1>kvm2`, and what there is to say besides. */
export function toldLine(told: Told): string {
  const what = `${told.kind.replace(/^vm\.(migration-)?/, '')} ${told.from}>${told.to}`;
  switch (told.kind) {
    case 'vm.migrated':
      return `${what}${told.offline ? ' offline' : ''}`;
    case 'vm.migration-ended':
      return `${what} ${told.how}`;
    default:
      return what;
  }
}

/** Hears both hosts, and keeps what that means. Web1 runs on kvm1, and both were listed. */
export class Listener {
  readonly vms = new Vms();
  readonly told: Told[] = [];
  #seq = 0;

  constructor(listed: readonly string[] = ['kvm1 lists running/booted', 'kvm2 lists nothing']) {
    for (const line of listed) this.hear(line, -10_000);
  }

  /** `ms` after the start: `kvm2 started migrated`. */
  hear(line: string, ms: number, of: Vm = web1): readonly string[] {
    const [host, ...said] = line.split(' ');
    const told = entriesOf(host!, said.join(' '), of).flatMap((body) => {
      this.#seq += 1;
      return this.vms.fold({ ...body, seq: this.#seq, at: start + ms });
    });
    this.told.push(...told);
    return told.map(toldLine);
  }

  migration() {
    return this.vms.get(web1.uuid)?.migration;
  }

  lines(): readonly string[] {
    return this.told.map(toldLine);
  }
}

export interface Word {
  readonly ms: number;
  readonly host: string;
  /** `kvm2 started migrated`. */
  readonly line: string;
  readonly means: string;
}

export function wordsOf(text: string): readonly Word[] {
  return text
    .trim()
    .split('\n')
    .map((written) => {
      const [said = '', means = ''] = written.split('->').map((part) => part.trim());
      const [ms, host, ...rest] = said.split(/\s+/);
      return { ms: Number(ms), host: host!, line: [host, ...rest].join(' '), means };
    });
}

/** Plays it in the order written. */
export function story(text: string, listener = new Listener()): Listener {
  for (const { ms, line, means } of wordsOf(text)) expect(listener.hear(line, ms).join(', '), `${ms} ${line}`).toBe(means);
  return listener;
}
