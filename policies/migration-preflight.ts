import {
  concat,
  forkJoin,
  type MeaningEvent,
  merge,
  mergeMap,
  type Observable,
  ofMeaning,
  type PipeTools,
  policy,
  preflight,
  servicePolicy,
  violationMode,
  vm,
  vmPlacement,
} from 'offbox';

const policyMap = 'LIVE-MIGRATION';
const cancelled = vm.migrationEnded({ how: 'cancelled' });

type Request = MeaningEvent<'vm.migration-requested'>;

export default policy({
  name: 'migration-preflight',
  describe: 'A requested migration is checked as an engineer does by hand; then Offbox begins it, where it shall perform it.',
  on: [vm.migrationRequested(), cancelled],
  pipe: (events, tools) =>
    merge(
      events.pipe(
        ofMeaning(vm.migrationRequested()),
        mergeMap((request) => preflight(request, tools, { policyMap }).pipe(mergeMap((found) => answer(request, found, tools)))),
      ),
      // Whoever asked has changed his mind: a migration of ours that is on is aborted.
      events.pipe(
        ofMeaning(cancelled),
        mergeMap((event) =>
          tools.act(vmPlacement({ target: event.from, uuid: event.uuid, vm: event.vm, to: event.to, uri: '' }).absent()),
        ),
      ),
    ),
});

function answer(
  request: Request,
  refusals: readonly { condition: string; text: string }[],
  tools: PipeTools,
): Observable<unknown> {
  if (!tools.stands(request)) return calledOff(request, tools);
  const why = refusals.map(({ condition, text }) => `${condition}: ${text}`).join(' ');
  if (why !== '') return tools.report(request, 'refused', why);
  return request.perform ? perform(request, tools) : tools.report(request, 'accepted', 'Nothing stands against it.');
}

/** Begins only when the path has its policy-map, and the ports are relaxed where that is allowed: other policies hold them. */
function perform(request: Request, tools: PipeTools): Observable<unknown> {
  const { inventory, prove, act, report } = tools;
  const { from, to, uuid, vm: name, allow = [], bandwidthMiBs } = request;
  const qos = inventory.pathBetween(from, to).map((port) => servicePolicy(port, 'output', policyMap));
  const ports = allow.includes('relax') ? [from, to].flatMap((host) => inventory.portsOf(host)) : [];
  const relaxed = ports.map((port) => violationMode(port, 'restrict'));
  const placement = vmPlacement({
    target: from,
    uuid,
    vm: name,
    to,
    uri: inventory.target(to)?.libvirt?.migrationUri ?? '',
    ...(bandwidthMiBs === undefined ? {} : { bandwidthMiBs }),
    postCopy: allow.includes('post-copy'),
  });
  return forkJoin([...qos, ...relaxed].map(prove)).pipe(
    mergeMap((outcomes) => {
      if (!tools.stands(request)) return calledOff(request, tools);
      const missing = outcomes.filter(({ kind }) => kind !== 'already').map(({ reason }) => reason);
      if (missing.length > 0) return report(request, 'failed', `The way is not prepared: ${missing.join(' ')}`);
      const migrated = act(placement, request).pipe(
        mergeMap(({ kind, reason }) => {
          if (kind === 'superseded') return calledOff(request, tools);
          return kind === 'done' || kind === 'already'
            ? report(request, 'done', `${name} is on ${to}.`)
            : report(request, 'failed', reason ?? kind);
        }),
      );
      return concat(report(request, 'running', `The way is prepared: ${name} leaves ${from} for ${to}.`), migrated);
    }),
  );
}

/** Before it was begun: nothing has moved. */
function calledOff(request: Request, { report }: PipeTools): Observable<unknown> {
  return report(request, 'cancelled', `Called off before ${request.vm} left ${request.from}.`);
}
