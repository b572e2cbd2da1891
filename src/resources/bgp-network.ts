// Owns: the resource bgp-network: a prefix that a router originates into BGP, vendor-neutral. How each platform reads
// and changes it is in adapters/platforms/*.
import { z } from 'zod';
import { OperatorError } from '../model/errors.ts';

export const bgpNetworkSchema = z.strictObject({
  kind: z.literal('bgp-network'),
  target: z.string(),
  /** Canonical, host bits zero: `23.0.0.0/8`. */
  prefix: z.string(),
  /** `default` for the global table. */
  vrf: z.string(),
});

/** What a router says of a prefix. Verified means: configured, in the BGP table, and advertised to each neighbour asked. */
export const bgpNetworkStateSchema = z.strictObject({
  /** The AS under which it was found or would be configured. */
  as: z.number().int(),
  configured: z.boolean(),
  /** Locally originated and best in the BGP table; absent where it was not asked yet. */
  inTable: z.boolean().optional(),
  /** Per neighbour asked: whether it is told of the prefix as originated here; passing on another's route is not that. */
  advertised: z.record(z.string(), z.boolean()),
});

export type BgpNetwork = z.infer<typeof bgpNetworkSchema>;
export type BgpNetworkState = z.infer<typeof bgpNetworkStateSchema>;

/** An IPv4 prefix with its host bits cleared, or an OperatorError that shows the form wanted. */
export function canonicalPrefix(written: string): string {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(written);
  const octets = match?.slice(1, 5).map(Number) ?? [];
  const length = Number(match?.[5]);
  if (!match || octets.some((octet) => octet > 255) || length > 32) {
    throw new OperatorError(`"${written}" is not an IPv4 prefix`, { code: 'bad-prefix', remedy: 'Write it as 23.0.0.0/8.' });
  }
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - length);
  const network = Math.floor(address / size) * size;
  const text = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.');
  if (text !== written.slice(0, written.indexOf('/'))) {
    throw new OperatorError(`"${written}" has bits beyond its length`, {
      code: 'bad-prefix',
      remedy: `Did you mean ${text}/${length}?`,
    });
  }
  return `${text}/${length}`;
}

/** `8` → `255.0.0.0`. */
export function maskOf(length: number): string {
  const bits = 2 ** 32 - 2 ** (32 - length);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
}

/** The length a classful router takes an unmasked network for: 23.0.0.0 → 8 (A), 172.16.0.0 → 16 (B), 192.0.2.0 → 24 (C). */
export function classfulLength(address: string): 8 | 16 | 24 {
  const first = Number(address.split('.')[0]);
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

/**
 * Whether `desired` is effective. Present: configured, originated here and advertised to each neighbour asked. Absent:
 * neither configured nor advertised; another router's route for the prefix may well be in the table.
 */
export function verifyBgpNetwork(
  state: BgpNetworkState,
  desired: 'present' | 'absent',
): { readonly effective: true } | { readonly effective: false; readonly missing: string } {
  const asked = Object.entries(state.advertised);
  const missing = desired === 'present' ? missingToBePresent(state, asked) : missingToBeAbsent(state, asked);
  return missing === undefined ? { effective: true } : { effective: false, missing };
}

function missingToBePresent(state: BgpNetworkState, asked: readonly [string, boolean][]): string | undefined {
  const silent = asked.filter(([, yes]) => !yes).map(([neighbor]) => neighbor);
  if (!state.configured) return `The network is not configured under BGP ${state.as}.`;
  if (!state.inTable) return 'The network is configured but not originated: has the router a route for exactly this prefix?';
  if (asked.length === 0) return 'No neighbor is configured to advertise it to.';
  if (silent.length > 0)
    return `It is not advertised to ${silent.join(', ')}: is the session up, and does an outbound policy let it pass?`;
  return undefined;
}

function missingToBeAbsent(state: BgpNetworkState, asked: readonly [string, boolean][]): string | undefined {
  const told = asked.filter(([, yes]) => yes).map(([neighbor]) => neighbor);
  if (state.configured) return `The network is still configured under BGP ${state.as}.`;
  if (told.length > 0)
    return `It is still advertised to ${told.join(', ')}: another statement may originate it, or the withdrawal is on its way.`;
  return undefined;
}

export function describeBgpNetwork(state: BgpNetworkState): string {
  const heard = Object.entries(state.advertised).map(
    ([neighbor, yes]) => `${yes ? 'advertised' : 'not advertised'} to ${neighbor}`,
  );
  return [
    state.configured ? 'configured' : 'not configured',
    ...(state.inTable === undefined ? [] : [state.inTable ? 'in the BGP table' : 'not in the BGP table']),
    ...heard,
  ].join(', ');
}
