// Owns: Juniper Junos: how its command line looks, and who is VRRP active. BGP is not changed here yet.
import type { FhrpRow } from '../../../src/model/query.ts';
import type { Target } from '../../../src/model/target.ts';
import type { CliDialect, Dialogue, Platform } from '../../../src/ports/platform.ts';
import { vrrpRow } from '../cisco-ios/fhrp.ts';
import { linesOf, refusal, show, unreadable } from '../dialogue.ts';

/** [weak] Written from documentation; not yet run against a device. `#` is the configuration prompt here, not a privilege. */
const junosDialect: CliDialect = {
  prompt: /^(?<host>[\w.-]{1,64}@[\w.-]{1,64})(?:>|(?<mode>#)) ?$/,
  passwordPrompt: /^\s*password:\s*$/i,
  // With complete-on-space the echo would not be what was typed.
  preamble: ['set cli complete-on-space off', 'set cli screen-length 0', 'set cli screen-width 511'],
  configure: 'configure private',
  // Asks before it drops what was not committed: what is to stay ends in a `commit` line of its own.
  leaveConfigure: 'exit configuration-mode',
  pager: { pattern: /^\s*---\(more(?: \d+%)?\)---\s*$/i, key: ' ' },
  failures: [/^(?:unknown command|syntax error|missing argument|invalid |error: )/i, /^\s*'\S+' is ambiguous/],
};

/**
 * `ge-0/0/1.0  up  10  master  Active  lcl  10.172.10.252`, below it its `vip` lines. A group with both families has a row
 * each. States other than master and backup are at second hand. [weak]
 */
const row = /^(?<interface>\S+)\s+\S+\s+(?<group>\d{1,3})\s+(?<state>[a-z]+)\s+\S+\s+lcl\s+(?<address>\S+)$/i;
const others: Readonly<Record<string, string>> = { idle: 'init', bringup: 'init', transition: 'init' };

function* junosFhrp(_target: Target, { protocol }: { readonly protocol: 'hsrp' | 'vrrp' }): Dialogue<readonly FhrpRow[]> {
  if (protocol === 'hsrp') throw refusal('no-hsrp', 'Junos has no HSRP', 'Declare the gateway as vrrp in the inventory.');
  const command = 'show vrrp summary';
  // `{master:0}` and the like stand before the prompt of a chassis with several routing engines.
  const lines = linesOf(yield* show(command)).filter((line) => !/^\{\S+\}$/.test(line));
  if (lines.length === 0) return [];
  if (!/^Interface\s+State\s+Group\s+VR state\b/.test(lines[0]!)) throw unreadable(command, lines[0]!);
  return lines
    .slice(1)
    .filter((line) => !/^\s+vip\s+\S+$/.test(line))
    .map((line) => {
      const found = row.exec(line)?.groups;
      const family = found?.address?.includes(':') ? 'ipv6' : 'ipv4';
      const word = found?.state?.toLowerCase() ?? '';
      const read = found && vrrpRow({ interface: found.interface!, group: Number(found.group), family }, others[word] ?? word);
      if (!read) throw unreadable(command, line);
      return read;
    });
}

export const juniperJunos: Platform = { name: 'juniper-junos', cli: junosDialect, queries: { fhrp: junosFhrp }, resources: {} };
