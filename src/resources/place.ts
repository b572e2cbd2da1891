// Owns: where a resource is, whatever its value: two policy-maps wanted on one port in one direction are one place. Per place
// only the newest wish lives, and a hold puts back what stood there.
import type { Resource } from '../model/intent.ts';

/** By kind the field that is the place's value, and those that only say how to get there. */
const values: Readonly<Record<string, { readonly value?: string; readonly aside?: readonly string[] }>> = {
  'service-policy': { value: 'policy' },
  'violation-mode': { value: 'mode' },
  'vm-placement': { aside: ['to', 'uri', 'bandwidthMiBs', 'postCopy'] },
};

/** The same for whatever is wanted there. */
export function placeKey(resource: Resource): string {
  const { kind, target, ...rest } = resource;
  const { value, aside = [] } = values[kind] ?? {};
  const fields = Object.keys(rest).filter((field) => field !== value && !aside.includes(field));
  return [kind, target, ...fields.sort().map((field) => `${field}=${JSON.stringify(rest[field])}`)].join(' ');
}

/** What it wants there; undefined where the resource is no place with a value. */
export function placeValue(resource: Resource): string | undefined {
  const field = values[resource.kind]?.value;
  return field === undefined ? undefined : String(resource[field]);
}

/** The same place with another value. */
export function withValue<R extends Resource>(resource: R, value: string): R {
  const field = values[resource.kind]?.value;
  return field === undefined ? resource : { ...resource, [field]: value };
}

/** For people: `service-policy output of acc-1 GigabitEthernet1/0/24`. */
export function placeText(resource: Resource): string {
  const { kind, target, interface: name, ...rest } = resource;
  const { value, aside = [] } = values[kind] ?? {};
  const fields = Object.keys(rest).filter((field) => field !== value && !aside.includes(field));
  const where = typeof name === 'string' ? `${target} ${name}` : target;
  return `${[kind, ...fields.map((field) => String(rest[field]))].join(' ')} of ${where}`;
}
