// Owns: what is sent: lines as Cisco IOS writes them, one in a hundred of them for one of the policies; and those policies.
import { type Policy, policy } from '../src/core/policy.ts';
import { syslog } from '../src/core/selectors.ts';
import { type Inventory, inventorySchema } from '../src/model/target.ts';
import type { BundledPolicy } from '../src/runtime/apart/messages.ts';
import { bundleOf } from './compose.ts';

/** One line in this many matches a policy. */
export const matchEvery = 100;
const hosts = 50;

/** Of the other ninety-nine some have a meaning in Offbox's words and some have none. */
const ordinary: readonly ((n: number) => string)[] = [
  (n) => `%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1/0/${n % 48}, changed state to up`,
  (n) => `%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: netop] [Source: 10.31.0.${n % 250}] [localport: 22]`,
  (n) => `%LINK-3-UPDOWN: Interface GigabitEthernet1/0/${n % 48}, changed state to down`,
  (n) => `%SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.31.0.${n % 250})`,
  (n) => `%DOT1X-5-FAIL: Authentication failed for client (0060.9fa4.${1000 + (n % 9000)}) on Interface Gi1/0/${n % 48}`,
  (n) => `%OSPF-5-ADJCHG: Process 1, Nbr 10.0.0.${n % 250} on Vlan${n % 4000} from LOADING to FULL, Loading Done`,
  (n) => `%SW_MATM-4-MACFLAP_NOTIF: Host 0060.9fa4.${1000 + (n % 9000)} in vlan 10 is flapping between port Gi1/0/1 and Gi1/0/2`,
  (n) => `%BGP-5-ADJCHANGE: neighbor 10.0.${n % 250}.1 Up`,
];

export const ruleMnemonic = (rule: number): string => `BENCH-5-RULE${rule}`;

/** Lines that go on where the last call ended: the senders' own counters have no jumps, which would be gaps. */
export function lineMaker(rules: number): (count: number) => readonly string[] {
  const sent = new Array<number>(hosts).fill(0);
  let at = 0;
  const line = (n: number): string => {
    const round = Math.floor(n / matchEvery);
    const matches = n % matchEvery === round % matchEvery;
    const host = n % hosts;
    sent[host]! += 1;
    const text = matches
      ? `%${ruleMnemonic((round * 7_919) % rules)}: rule met on port ${n % 48}`
      : ordinary[n % ordinary.length]!(n);
    const time = `Nov 23 03:31:${String(n % 60).padStart(2, '0')}.${String(n % 1000).padStart(3, '0')}`;
    return `<189>${sent[host]}: edge${host}: ${time} UTC: ${text}`;
  };
  return (count) => Array.from({ length: count }, () => line(at++));
}

/** The hosts the lines name: known, and nothing to be logged in to. */
export const inventory: Inventory = inventorySchema.parse({
  targets: Object.fromEntries(
    Array.from({ length: hosts }, (_, host) => [`edge${host}`, { platform: 'cisco-ios', address: `192.0.2.${host + 1}` }]),
  ),
});

/** Each listens to a message of its own and wants nothing: what is counted is that it was asked. */
export function policies(count: number): readonly Policy[] {
  return Array.from({ length: count }, (_, rule) =>
    policy({ name: `rule-${rule}`, on: syslog({ mnemonic: ruleMnemonic(rule) }), ensure: () => [] }),
  );
}

/** The same, for a thread of their own. */
export function policyBundles(count: number): readonly BundledPolicy[] {
  return Array.from({ length: count }, (_, rule) =>
    bundleOf(
      `rule-${rule}.js`,
      `import { policy, syslog } from 'offbox';
export default policy({ name: 'rule-${rule}', on: syslog({ mnemonic: '${ruleMnemonic(rule)}' }), ensure: () => [] });`,
    ),
  );
}
