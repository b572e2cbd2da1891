// Owns: the resource service-policy: the policy-map attached to an interface in one direction. A place with a value: a hold
// puts back what stood there.
import { z } from 'zod';
import type { Verdict } from './verdict.ts';

export const servicePolicySchema = z.strictObject({
  kind: z.literal('service-policy'),
  target: z.string(),
  interface: z.string(),
  direction: z.enum(['input', 'output']),
  /** The policy-map. Wanted absent: this one shall not be attached; another one is left. */
  policy: z.string(),
});

export const servicePolicyStateSchema = z.strictObject({
  /** As configured on the interface. */
  attached: z.string().nullable(),
  /** As the forwarding shows it (`show policy-map interface`); an interface that is down may show none. */
  installed: z.string().nullable(),
});

export type ServicePolicy = z.infer<typeof servicePolicySchema>;
export type ServicePolicyState = z.infer<typeof servicePolicyStateSchema>;

export function verifyServicePolicy(
  state: ServicePolicyState,
  { policy }: ServicePolicy,
  desired: 'present' | 'absent',
): Verdict {
  const { attached, installed } = state;
  if (desired === 'absent') {
    if (attached !== policy && installed !== policy) return { effective: true };
    return { effective: false, missing: `${policy} is still ${attached === policy ? 'attached' : 'installed'}.` };
  }
  if (attached !== policy) return { effective: false, missing: `${attached ?? 'No policy-map'} is attached, not ${policy}.` };
  if (installed !== policy)
    return { effective: false, missing: `${policy} is configured but not installed: does the interface take it?` };
  return { effective: true };
}

export function describeServicePolicy({ attached, installed }: ServicePolicyState): string {
  if (attached === null) return 'no policy-map attached';
  return `${attached} attached${installed === attached ? ' and installed' : ', not installed'}`;
}
