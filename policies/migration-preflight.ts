import {
  concat,
  filter,
  forkJoin,
  type MeaningEvent,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  ofMeaning,
  type PipeTools,
  policy,
  preflight,
  type ReportState,
  servicePolicy,
  startWith,
  violationMode,
  vm,
  vmPlacement,
  withLatestFrom,
} from 'offbox';

const policyMap = 'LIVE-MIGRATION';
const cancelled = vm.migrationEnded({ how: 'cancelled' });

type Request = MeaningEvent<'vm.migration-requested'>;
type CallOff = MeaningEvent<'vm.migration-ended'>;

/** What whoever asked is told; `running` where the migration may begin. */
interface Verdict {
  readonly state: ReportState;
  readonly text: string;
}

export default policy({
  name: 'migration-preflight',
  describe: 'A requested migration is checked as an engineer does by hand; then Offbox begins it, where it shall perform it.',
  on: [vm.migrationRequested(), cancelled],
  pipe: (events, tools) => {
    const callsOff = events.pipe(ofMeaning(cancelled));
    return merge(
      events.pipe(
        ofMeaning(vm.migrationRequested()),
        mergeMap((request) =>
          check(request, tools).pipe(
            mergeMap((verdict) => {
              const told = tools.report(request, verdict.state, verdict.text);
              return verdict.state === 'running' ? concat(told, perform(request, callsOff, tools)) : told;
            }),
          ),
        ),
      ),
      // Whoever asked has changed his mind: a migration of ours that is on is aborted. Late word of an earlier one is not meant for it.
      callsOff.pipe(
        filter((event) => tools.isMeant(event)),
        mergeMap(({ from, to, uuid, vm: name }) =>
          tools.act(vmPlacement({ target: from, uuid, vm: name, to, uri: '' }).absent()),
        ),
      ),
    );
  },
});

/** Before it was begun: nothing has moved. */
const calledOff = ({ vm: name, from }: Request): Verdict => ({
  state: 'cancelled',
  text: `Called off before ${name} left ${from}.`,
});

/** Whether it may begin: nothing stands against it, the path has its policy-map, the ports are relaxed where that is allowed. */
function check(request: Request, tools: PipeTools): Observable<Verdict> {
  const { vm: name, from, to, perform: isOurs, allow = [] } = request;
  const { inventory, prove, stands } = tools;
  // Other policies hold these.
  const qos = inventory.pathBetween(from, to).map((port) => servicePolicy(port, 'output', policyMap));
  const ports = allow.includes('relax') ? [from, to].flatMap((host) => inventory.switchPortsOf(host)) : [];
  const relaxed = ports.map((port) => violationMode(port, 'restrict'));
  return preflight(request, tools, { policyMap }).pipe(
    mergeMap((refusals): Observable<Verdict> => {
      if (!stands(request)) return of(calledOff(request));
      if (refusals.length > 0) return of({ state: 'refused', text: refusals.map(({ text }) => text).join(' ') });
      if (!isOurs) return of({ state: 'accepted', text: 'Nothing stands against it.' });
      return forkJoin([...qos, ...relaxed].map(prove)).pipe(
        map((outcomes): Verdict => {
          if (!stands(request)) return calledOff(request);
          const missing = outcomes.filter(({ kind }) => kind !== 'already').map(({ reason }) => reason);
          return missing.length > 0
            ? { state: 'failed', text: `The way is not prepared: ${missing.join(' ')}` }
            : { state: 'running', text: `The way is prepared: ${name} leaves ${from} for ${to}.` };
        }),
      );
    }),
  );
}

function perform(request: Request, callsOff: Observable<CallOff>, { inventory, act, isMeant, report }: PipeTools) {
  const { from, to, uuid, vm: name, allow = [], bandwidthMiBs } = request;
  const placement = vmPlacement({
    target: from,
    uuid,
    vm: name,
    to,
    uri: inventory.target(to)?.libvirt?.migrationUri ?? '',
    ...(bandwidthMiBs === undefined ? {} : { bandwidthMiBs }),
    postCopy: allow.includes('post-copy'),
  });
  const wasCalledOff = callsOff.pipe(
    filter((event) => event.uuid === uuid && (event.request === undefined ? isMeant(event) : event.request === request.request)),
    map(() => true),
    startWith(false),
  );
  return act(placement, request).pipe(
    withLatestFrom(wasCalledOff),
    mergeMap(([{ kind, reason }, off]) => {
      if (kind === 'done' || kind === 'already') return report(request, 'done', `${name} is on ${to}.`);
      if (kind === 'superseded') return report(request, 'cancelled', calledOff(request).text);
      return off
        ? report(request, 'cancelled', `Called off: ${name} stays on ${from}.`)
        : report(request, 'failed', reason ?? kind);
    }),
  );
}
