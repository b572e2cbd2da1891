// Owns: what each stage of the hot path costs by itself, on one thread and without waiting: CPU time per line.

import { rowsOf, sealed } from '../adapters/journal-sqlite/rows.ts';
import { syslogMeaning } from '../adapters/platforms/syslog-meanings.ts';
import { Framer } from '../adapters/source-syslog/framing.ts';
import { RingReader, RingWriter, ringMemory } from '../adapters/source-syslog/ring.ts';
import { parseSyslog } from '../adapters/source-syslog/wire.ts';
import { Engine } from '../src/core/engine.ts';
import type { NewEntry } from '../src/model/entry.ts';
import type { Event } from '../src/model/event.ts';
import { admit } from '../src/runtime/admission.ts';
import { inventory, lineMaker, policies } from './lines.ts';
import { fixed, median, tableText } from './table.ts';

export interface Stage {
  readonly name: string;
  readonly micros: number;
}

const batchLines = 1_024;
const at = 1_800_000_000_000;

/** CPU microseconds per line of `work`, the median of some runs over all batches. */
function cost<T>(name: string, batches: readonly T[], work: (batch: T) => void): Stage {
  const runs = Array.from({ length: 7 }, () => {
    const before = process.threadCpuUsage();
    for (const batch of batches) work(batch);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / (batches.length * batchLines);
  });
  return { name, micros: median(runs.slice(2)) };
}

function eventOf(raw: string): Event {
  const { fields, deviceTime } = parseSyslog(raw);
  const origin = { source: 'syslog', peer: '127.0.0.1', transport: 'tcp', trust: 'claimed', raw } as const;
  return {
    meaning: syslogMeaning(fields),
    syslog: fields,
    origin: deviceTime === undefined ? origin : { ...origin, deviceTime },
  };
}

export function stages(lines: number): readonly Stage[] {
  const make = lineMaker(10_000);
  const texts = Array.from({ length: Math.ceil(lines / batchLines) }, () => make(batchLines));
  const chunks = texts.map((batch) => Buffer.from(`${batch.join('\n')}\n`));
  const memory = ringMemory(2 ** 25);
  const writer = new RingWriter(memory, () => undefined);
  const reader = new RingReader(memory);
  const framer = new Framer();
  const events = texts.map((batch) => batch.map(eventOf));
  const entries = events.map((batch) => batch.map((event): NewEntry => ({ kind: 'event', event: admit(event, inventory), at })));
  const rows = entries.map((batch) => rowsOf(batch, 1, 1));
  const deployed = policies(10_000);
  const engine = new Engine(deployed.map((policy) => ({ policy, version: 'bench' })));
  let seq = 0;
  for (const { name } of deployed) engine.step({ kind: 'deploy', policy: name, version: 'bench', runtime: '', seq: ++seq, at });
  return [
    cost('frame, through the ring, to text', chunks, (chunk) => {
      framer.feed(chunk);
      for (let frame = framer.next(); frame; frame = framer.next()) writer.write('tcp 127.0.0.1 ', frame);
      while (reader.read() !== null);
    }),
    cost('parse, with meaning', texts, (batch) => {
      for (const line of batch) eventOf(line);
    }),
    cost('admit', events, (batch) => {
      for (const event of batch) admit(event, inventory);
    }),
    cost('stringify', entries, (batch) => void rowsOf(batch, 1, 1)),
    cost('compress', rows, (batch) => void batch.map(sealed)),
    cost('step', entries, (batch) => {
      for (const entry of batch) engine.step({ ...entry, seq: ++seq });
    }),
  ];
}

export function stagesText(found: readonly Stage[]): string {
  return tableText(
    ['stage', 'µs CPU/line'],
    found.map(({ name, micros }) => [name, fixed(micros)]),
  );
}
