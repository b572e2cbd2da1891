// Owns: the control socket: how `offbox show` and `offbox emit` talk to a running Offbox. HTTP over a Unix socket in the
// data folder, which only its owner may enter. Bodies are bounded and checked; `emit` is answered AFTER the commit.
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { answerSchema } from '../model/answer.ts';
import { messageOf, OperatorError } from '../model/errors.ts';
import { type Event, eventSchema } from '../model/event.ts';
import { apiBodyBytesMax } from '../model/limits.ts';
import { askMigration, cancelMigration, migrateSchema, migrationStatus } from './migrate.ts';
import type { Runtime } from './runtime.ts';
import type { ShownGateway } from './view.ts';

/** What can be shown. */
export const shownKinds = [
  'policies',
  'targets',
  'gateways',
  'facts',
  'vms',
  'events',
  'intents',
  'requests',
  'sources',
] as const;
export type Shown = (typeof shownKinds)[number];

const resolveSchema = z.strictObject({ intent: z.string().max(1_024), answer: answerSchema, by: z.string().max(255) });
const emitSchema = z.strictObject({ event: eventSchema });

export function controlSocket(data: string): string {
  return join(data, 'offbox.sock');
}

export interface Api {
  close(): Promise<void>;
}

/** Serves a runtime on the control socket of its data folder. The lease sees to it that nobody else does. */
export async function serveApi(runtime: Runtime, data: string): Promise<Api> {
  const path = controlSocket(data);
  await rm(path, { force: true });
  const server = fastify({ bodyLimit: apiBodyBytesMax, forceCloseConnections: true });
  server.setErrorHandler((thrown, _request, reply) => {
    if (thrown instanceof OperatorError) {
      const { summary: error, code, remedy } = thrown;
      return reply.status(400).send({ error, code, remedy });
    }
    const status = statusOf(thrown);
    if (status === 500) return reply.status(500).send({ error: messageOf(thrown) });
    const error = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    return reply.status(status).send({ error, code: 'usage', remedy: 'Mend the request.' });
  });
  server.setNotFoundHandler(({ method, url }, reply) =>
    reply.status(404).send({ error: `there is no ${method} ${url}`, code: 'usage', remedy: 'Mend the request.' }),
  );
  declare(server, runtime);
  declareMigrations(server, runtime);
  try {
    await server.listen({ path });
    await chmod(path, 0o600);
  } catch (thrown) {
    throw new OperatorError(`the control socket ${path} cannot be made: ${messageOf(thrown)}`, {
      code: 'control-socket',
      remedy: 'Choose a data folder with a shorter path (a socket path has 107 characters at most) that can be written.',
      cause: thrown,
    });
  }
  return { close: () => server.close() };
}

/** Whose fault it is: a body that is no JSON, too large or of another type fastify itself refuses, with a status below 500. */
function statusOf(thrown: unknown): number {
  if (thrown instanceof z.ZodError) return 400;
  const status = thrown instanceof Error && 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
  return status >= 400 && status < 500 ? status : 500;
}

function declare(server: FastifyInstance, runtime: Runtime): void {
  server.get<{ Params: { what: string } }>('/show/:what', ({ params }) => show(runtime, shownOf(params.what)));
  server.post('/resolve', async ({ body }) => {
    const { intent, answer, by } = resolveSchema.parse(body);
    return { seq: await runtime.resolve(intent, answer, by) };
  });
  server.post('/emit', async ({ body }) => {
    const { event } = emitSchema.parse(body);
    return { seq: await runtime.host.emit(forgiven(event)) };
  });
}

function declareMigrations(server: FastifyInstance, runtime: Runtime): void {
  server.post('/migrate', async ({ body }) => askMigration(runtime, migrateSchema.parse(body)));
  server.get<{ Params: { request: string } }>('/migrate/:request', async ({ params }) =>
    migrationStatus(runtime, params.request),
  );
  server.post<{ Params: { request: string } }>('/migrate/:request/cancel', async ({ params }) =>
    cancelMigration(runtime, params.request),
  );
}

/** Whoever emits by hand claims: nothing that comes in here is authenticated by a device. */
function forgiven(event: Event): Event {
  return { ...event, because: 'emit', origin: { ...event.origin, trust: 'claimed' } };
}

export function shownOf(what: string): Shown {
  const known = shownKinds.find((kind) => kind === what);
  if (!known)
    throw new OperatorError(`there is no "${what}" to show`, { code: 'usage', remedy: `There is: ${shownKinds.join(', ')}.` });
  return known;
}

async function show(runtime: Runtime, what: Shown): Promise<unknown> {
  if (what === 'targets') return runtime.targets();
  if (what === 'sources') return runtime.sources.map((source) => ({ source: source.name, ...source.stats() }));
  if (what === 'policies')
    return (await runtime.shownPolicies()).map((policy) => ({ ...policy, mode: runtime.modes.of(policy.name, '') }));
  if (what === 'gateways') return gatewaysWithLines(runtime);
  return runtime.view[what]();
}

/** What was read of a member is as old as it is: it may be away by now. */
function gatewaysWithLines({ executor, view }: Runtime): readonly ShownGateway[] {
  const lines = new Map(executor.status().map(({ target, state }) => [target, state]));
  return view.gateways().map((gateway) => ({
    ...gateway,
    members: gateway.members.map((member) => ({ ...member, line: lines.get(member.target) })),
  }));
}
