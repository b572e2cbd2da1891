// Owns: publishing reports: to OUTCOMES.REQUEST, and to the inbox of a request that asked for it. A report is delivered
// when the server has it; it carries the intent's id as Nats-Msg-Id, which is also what JetStream drops doubles by.
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { messageOf, TargetError } from '../../src/model/errors.ts';
import { natsFlushMs, requestsKeptMax } from '../../src/model/limits.ts';
import type { Report, Reporter } from '../../src/ports/reporter.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { subjectToken } from './answers.ts';

export interface NatsReporter extends Reporter {
  /** Reports of this request go to that inbox too, until the last one or a restart. */
  remember(request: string, inbox: string): void;
  /** The server refused to have something published there. */
  refused(subject: string): void;
}

interface ReporterOptions {
  readonly outcomes: string;
  readonly wall: Wall;
  readonly up: () => NatsConnection | undefined;
}

export function natsReporter({ outcomes, wall, up }: ReporterOptions): NatsReporter {
  const inboxes = new Map<string, string>();
  const refusals = new Set<string>();

  async function publish(report: Report): Promise<void> {
    const connection = up();
    if (!connection) throw notNow('there is no connection to the NATS server');
    const subject = `${outcomes}.${subjectToken(report.request)}`;
    const inbox = inboxes.get(report.request);
    const marks = headers();
    marks.set('Nats-Msg-Id', encodeURIComponent(report.intent));
    const text = JSON.stringify(report);
    try {
      for (const to of inbox === undefined ? [subject] : [subject, inbox]) connection.publish(to, text, { headers: marks });
    } catch (thrown) {
      throw never(messageOf(thrown), 'Look at max_payload of the server, and at what the policy reports.', thrown);
    }
    await flushed(connection, wall);
    if (refusals.delete(subject)) {
      throw never(`the NATS server does not let us publish to ${subject}`, `Allow this user to publish to ${outcomes}.>.`);
    }
  }

  return {
    name: 'nats',
    async report(report) {
      refusals.clear();
      await publish(report);
      if (report.final) inboxes.delete(report.request);
    },
    remember(request, inbox) {
      inboxes.delete(request);
      inboxes.set(request, inbox);
      const [oldest] = inboxes.keys();
      if (inboxes.size > requestsKeptMax && oldest !== undefined) inboxes.delete(oldest);
    },
    refused: (subject) => void refusals.add(subject),
  };
}

/** The server answers in order: once it has answered this, it has what was published before, or has said that it has not. */
async function flushed(connection: NatsConnection, wall: Wall): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = wall.after(natsFlushMs, () => reject(notNow(`the NATS server said nothing for ${natsFlushMs / 1_000} s`)));
  try {
    await Promise.race([connection.flush(), late]);
  } catch (thrown) {
    throw thrown instanceof TargetError ? thrown : notNow(messageOf(thrown), thrown);
  } finally {
    cancel();
  }
  // A refusal came before the answer, but is told in a later turn.
  await wall.sleep(0);
}

const notNow = (what: string, cause?: unknown): TargetError =>
  new TargetError(`[source-nats] ${what}`, { code: 'nats-away', retry: true, remedy: 'It is tried again.', cause });

const never = (what: string, remedy: string, cause?: unknown): TargetError =>
  new TargetError(`[source-nats] ${what}`, { code: 'nats-refused', retry: false, remedy, cause });
