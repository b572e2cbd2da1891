// Owns: what simulated devices speak: a question a line, answered in JSON; a change two lines where something stood there, as on
// IOS, so that it can be cut in the middle.
import { libvirt } from '../../adapters/platforms/libvirt/index.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { Resource } from '../../src/model/intent.ts';
import type { FhrpRow, QueryKind } from '../../src/model/query.ts';
import { platformNameSchema } from '../../src/model/target.ts';
import type { Command } from '../../src/ports/actuator.ts';
import type { Dialogue, Platform, QueryReader, ResourceDriver } from '../../src/ports/platform.ts';
import { placeKey, placeValue } from '../../src/resources/place.ts';

/** What a place answers. */
interface Answer {
  readonly value: string | null;
}

/** A resource without a value of its own is there or not. */
const there = 'yes';
/** What a port does on a violation where nothing is said. */
export const defaultMode = 'shutdown';

const wantedValue = (resource: Resource): string => placeValue(resource) ?? there;

/** The value that stands there when a resource is as desired; undefined: anything but its own. */
export function valueWanted(resource: Resource, desired: 'present' | 'absent'): string | undefined {
  return desired === 'present' ? wantedValue(resource) : undefined;
}

export function isAsDesired(value: string | null, resource: Resource, desired: 'present' | 'absent'): boolean {
  return (value === wantedValue(resource)) === (desired === 'present');
}

function parsed<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new TargetError(`the answer is cut short: ${JSON.stringify(text.slice(0, 40))}`, {
      code: 'unreadable',
      retry: false,
      remedy: 'Look at the device.',
    });
  }
}

function* readRows(): Dialogue<readonly FhrpRow[]> {
  return parsed<FhrpRow[]>((yield { kind: 'cli', line: 'fhrp' }).text);
}

const driver: ResourceDriver<Resource, Answer> = {
  *read(resource) {
    return parsed<Answer>((yield { kind: 'cli', line: placeKey(resource) }).text);
  },
  plan({ value }, resource, desired): readonly Command[] {
    if (isAsDesired(value, resource, desired)) return [];
    const place = placeKey(resource);
    const unset = value === null ? [] : [`unset ${place}`];
    return [{ kind: 'configure', lines: desired === 'present' ? [...unset, `set ${place} = ${wantedValue(resource)}`] : unset }];
  },
  verify: ({ value }, resource, desired) =>
    isAsDesired(value, resource, desired) ? { effective: true } : { effective: false, missing: `${value} stands there.` },
  describe: ({ value }) => value ?? 'nothing',
  value: ({ value }) => value,
};

/** What the network learns by itself is never written. */
const learned: ResourceDriver<Resource, Answer> = {
  ...driver,
  plan: (state, resource, desired, target) => (desired === 'present' ? [] : driver.plan(state, resource, desired, target)),
};

const query = <Q extends QueryKind>(word: Q): QueryReader<Q> =>
  function* read(_target, { about }) {
    return parsed((yield { kind: 'cli', line: about === undefined ? `query ${word}` : `query ${word} ${about}` }).text);
  };

const platform = (name: Platform['name']): Platform => ({
  name,
  queries: {
    fhrp: readRows,
    'port-security': query('port-security'),
    switchport: query('switchport'),
    vnis: query('vnis'),
    'policy-maps': query('policy-maps'),
    routes: query('routes'),
  },
  resources: {
    'bgp-network': driver,
    'service-policy': driver,
    'violation-mode': driver,
    'sticky-mac': learned,
    'mac-table-entry': learned,
  },
});

export const platforms: Readonly<Record<string, Platform>> = {
  ...Object.fromEntries(platformNameSchema.options.map((name) => [name, platform(name)])),
  libvirt,
};
