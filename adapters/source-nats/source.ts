// Owns: the nats source: requests heard on a subject, answered in the reply AFTER the commit; outcomes published back.
// Not in a queue group: one Offbox runs at a time (its lease sees to that), and the one that runs hears all.
import type { Msg } from '@nats-io/transport-node';
import type { Reporter } from '../../src/ports/reporter.ts';
import type { Sink, Source } from '../../src/ports/source.ts';
import type { Wall } from '../../src/ports/wall.ts';
import type { Answer, Intake } from '../requests/intake.ts';
import { answerText } from './answers.ts';
import { type Link, logsIn, type NatsLogin, openLink } from './link.ts';
import { natsReporter } from './reporter.ts';

export type { NatsLogin } from './link.ts';

export interface NatsSourceOptions extends NatsLogin {
  /** `nats://HOST:PORT`; tried in this order. */
  readonly servers: readonly string[];
  readonly subject: string;
  /** Reports of request ID are published to OUTCOMES.ID. */
  readonly outcomes: string;
  readonly wall: Wall;
  readonly intake: Intake;
}

export interface NatsSource extends Source {
  readonly reporter: Reporter;
}

/** With this header `reply`, the reports of a request go to its reply subject too, after the answer. */
const reportsHeader = 'Offbox-Reports';

export function natsSource(options: NatsSourceOptions): NatsSource {
  const { servers, subject, outcomes, wall, intake } = options;
  const trust = logsIn(options) ? 'authenticated' : 'claimed';
  const dropped: Record<string, number> = {};
  const underWay = new Set<Promise<void>>();
  let received = 0;
  let link: Link | undefined;
  const reporter = natsReporter({ outcomes, wall, up: () => link?.up() });
  const count = (cause: string): void => {
    dropped[cause] = (dropped[cause] ?? 0) + 1;
  };

  async function take(message: Msg, sink: Sink): Promise<void> {
    const from = { source: 'nats', peer: message.subject, transport: 'nats', trust } as const;
    const answer = await intake.take(message.data, from, sink);
    countAnswer(answer, count);
    if (!message.reply) return;
    if (answer.kind === 'taken' && wantsReports(message)) reporter.remember(answer.request, message.reply);
    reply(message, answer);
  }

  return {
    name: 'nats',
    reporter,
    async start(sink) {
      if (link) return;
      // Requests say nothing of the state of any target: nobody has to read anything again.
      const gap = (reason: string): void => sink.gap(reason, []);
      link = await openLink(options, {
        message(message) {
          received += 1;
          // What goes wrong here would end the client's reader: it is counted and goes no further.
          const taken: Promise<void> = take(message, sink)
            .catch(() => count('fault'))
            .finally(() => underWay.delete(taken));
          underWay.add(taken);
        },
        back: () => gap(`connected again: requests sent to ${subject} meanwhile were not heard`),
        down: (reason) => gap(`not connected: ${reason}`),
        refused: (where) => {
          count('refused');
          reporter.refused(where);
        },
      });
    },
    async stop() {
      await Promise.allSettled([...underWay]);
      await link?.close();
      link = undefined;
    },
    stats: () => ({
      listening: link ? [`${subject} of ${placeOf(link, servers)}`] : [],
      received,
      dropped: { ...dropped },
    }),
  };
}

function placeOf(link: Link, servers: readonly string[]): string {
  const server = link.up()?.getServer();
  if (server === undefined) return `${servers.join(', ')} (not connected)`;
  return link.hears() ? server : `${server} (not heard: it does not let us)`;
}

function countAnswer(answer: Answer, count: (cause: string) => void): void {
  if (answer.kind === 'refused') count(answer.refusal.code);
  else if (answer.kind !== 'taken') count(answer.kind === 'busy' ? 'no-room' : answer.kind);
}

function wantsReports(message: Msg): boolean {
  try {
    return message.headers?.get(reportsHeader) === 'reply';
  } catch {
    // Headers are parsed when first looked at, and may be anything.
    return false;
  }
}

function reply(message: Msg, answer: Answer): void {
  try {
    message.respond(answerText(answer));
  } catch {
    // The connection went away meanwhile: whoever waits asks again, and is answered with the same seq.
  }
}
