// Owns: what a libvirt event means, in the model's words, and the line it is shown as. Pure.
import type { Meaning, Nic } from '../../src/model/meaning.ts';
import { type DomainDescription, migrationNamespace, word } from '../libvirt-rpc/domain-xml.ts';
import {
  type Domain,
  type EventOf,
  jobOperations,
  type LifecycleWord,
  lifecycleWord,
  metadataTypes,
  type RemoteEvent,
  stateWord,
  type TypedParam,
} from '../libvirt-rpc/protocol.ts';

export interface Reading {
  /** Null where the model has no word for it: then it is only shown. */
  readonly meaning: Meaning | null;
  /** As one line: `lifecycle web1 started migrated`. */
  readonly raw: string;
}

/** The domain's state with what its XML says: what a listing, or a change of devices, is told with. */
export interface Observed {
  readonly dom: Domain;
  readonly state: number;
  readonly reason: number;
  readonly description: DomainDescription;
}

const agentStates = ['unknown', 'connected', 'disconnected'];
const agentReasons = ['unknown', 'domain started', 'channel event'];

/** When the domain's XML is to be read to tell an event. */
export type XmlWanted = 'always' | 'unless known' | 'no';

/**
 * Where something has begun its XML is another; a guest that only pauses or goes on has the one that is known. A stopped or
 * undefined domain may have none.
 */
const xmlWanted: Readonly<Partial<Record<LifecycleWord, XmlWanted>>> = {
  defined: 'always',
  started: 'always',
  suspended: 'unless known',
  resumed: 'unless known',
};

export function wantsXml(event: RemoteEvent): XmlWanted {
  if (event.kind === 'lifecycle') return xmlWanted[lifecycleWord(event.event, event.detail)?.event ?? 'crashed'] ?? 'no';
  return event.kind === 'metadata-change' && metadataTypes[event.type] === 'element' ? 'always' : 'no';
}

/** `description`: of the domain, where it could be read just now. */
export function readingOf(event: RemoteEvent, description: DomainDescription | undefined): Reading {
  const vm = word(event.dom.name);
  const { uuid } = event.dom;
  switch (event.kind) {
    case 'lifecycle':
      return lifecycle(event, description?.nics);
    case 'migration-iteration': {
      const { iteration } = event;
      return read({ kind: 'vm.migration-iteration', vm, uuid, iteration }, event, String(iteration));
    }
    case 'job-completed':
      return jobCompleted(event);
    case 'metadata-change':
      return metadataChanged(event, description);
    case 'agent-lifecycle':
      return read(null, event, agentStates[event.state] ?? String(event.state), agentReasons[event.reason] ?? '');
    case 'device-added':
    case 'device-removed':
      return read(null, event, word(event.alias));
    case 'control-error':
    case 'reboot':
      return read(null, event);
  }
}

function read(meaning: Meaning | null, event: RemoteEvent, ...more: readonly string[]): Reading {
  return { meaning, raw: line(event.kind, event.dom.name, ...more) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a line
const controls = /[\u0000-\u001f\u007f]/;

/** A guest's name is its owner's text: whatever would break the line goes. */
function line(...words: readonly string[]): string {
  let text = '';
  for (const each of words) if (each !== '') text += text === '' ? word(each) : ` ${word(each)}`;
  return controls.test(text) ? text.replace(new RegExp(controls, 'g'), '?') : text;
}

function lifecycle(event: EventOf<'lifecycle'>, nics: Nic[] | undefined): Reading {
  const words = lifecycleWord(event.event, event.detail);
  if (!words) return read(null, event, `${event.event}/${event.detail}`);
  const vm = word(event.dom.name);
  const { uuid } = event.dom;
  const { event: what, detail } = words;
  const meaning: Meaning = nics
    ? { kind: 'vm.lifecycle', vm, uuid, event: what, detail, nics }
    : { kind: 'vm.lifecycle', vm, uuid, event: what, detail };
  return read(meaning, event, what, detail);
}

const numberOf = (params: readonly TypedParam[], field: string): number | undefined => {
  const value = params.find((param) => param.field === field)?.value;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

function jobCompleted(event: EventOf<'job-completed'>): Reading {
  const operation = jobOperations[numberOf(event.params, 'operation') ?? 0] ?? 'unknown';
  const elapsedMs = numberOf(event.params, 'time_elapsed');
  const downtimeMs = numberOf(event.params, 'downtime');
  const meaning: Meaning = {
    kind: 'vm.job-completed',
    vm: word(event.dom.name),
    uuid: event.dom.uuid,
    operation,
    ...(elapsedMs === undefined ? {} : { elapsedMs }),
    ...(downtimeMs === undefined ? {} : { downtimeMs }),
  };
  return read(meaning, event, operation, elapsedMs === undefined ? '' : `in ${elapsedMs} ms`);
}

function metadataChanged(event: EventOf<'metadata-change'>, description: DomainDescription | undefined): Reading {
  const type = metadataTypes[event.type];
  const uri = event.uri === null ? undefined : word(event.uri);
  const request = uri === migrationNamespace ? description?.request : undefined;
  if (!type) return read(null, event, String(event.type));
  const more = { type, ...(uri === undefined ? {} : { uri }), ...(request ? { request } : {}) };
  const meaning: Meaning = { kind: 'vm.metadata-changed', vm: word(event.dom.name), uuid: event.dom.uuid, ...more };
  return read(meaning, event, type, uri ?? '', request ? `to ${request.to}` : '');
}

/** `because` begins the line: `listed`, or the event that made us look. */
export function observedReading({ dom, state, reason, description }: Observed, because: string): Reading {
  const words = stateWord(state, reason);
  const vm = word(dom.name);
  const meaning: Meaning = { kind: 'vm.observed', vm, uuid: dom.uuid, ...words, nics: description.nics };
  return { meaning, raw: line(because, vm, words.state, words.reason) };
}

export function listedReading(domains: readonly Domain[]): Reading {
  const uuids = domains.map(({ uuid }) => uuid);
  return { meaning: { kind: 'vm.listed', uuids }, raw: `listed ${uuids.length} domain${uuids.length === 1 ? '' : 's'}` };
}

/** The mark was set while nobody listened: told as the event that was lost. */
export function requestReading({ dom, description }: Observed): Reading {
  const event = { kind: 'metadata-change', callbackId: 0, dom, type: metadataTypes.indexOf('element') } as const;
  return readingOf({ ...event, uri: migrationNamespace }, description);
}
