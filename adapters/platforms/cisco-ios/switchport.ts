// Owns: one interface as a switch port, from `show interfaces X switchport` of IOS and `show interface X switchport` of NX-OS.
import { interfaceName } from '../../../src/model/interface-name.ts';
import type { QueryRow } from '../../../src/model/query.ts';
import type { QueryReader } from '../../../src/ports/platform.ts';
import { aboutOf, linesOf, show, unreadable } from '../dialogue.ts';
import { interfaceWord, vlanList } from './words.ts';

type SwitchportRow = QueryRow<'switchport'>;

export const iosSwitchport: QueryReader<'switchport'> = function* (_target, ask) {
  const name = interfaceWord(aboutOf(ask, 'interface'));
  const command = `show interfaces ${name} switchport`;
  return [switchport(command, yield* show(command), name)];
};

/** What it is set to; where that is left to negotiation, what came of it. `Operational Mode: trunk (member of bundle Po12)`. */
function modeOf(administrative: string | undefined, operational: string | undefined): SwitchportRow['mode'] {
  const set = administrative === undefined || /^dynamic /i.test(administrative) ? (operational ?? '') : administrative;
  if (/^trunk\b/i.test(set)) return 'trunk';
  return /^(?:static )?access\b/i.test(set) ? 'access' : 'other';
}

/** `Key: value` lines; a list of VLANs goes on, indented, in the lines after, and is whole once another key follows. */
export function switchport(command: string, text: string, name: string): SwitchportRow {
  const said = new Map<string, string>();
  let last = '';
  const lines = linesOf(text);
  for (const line of lines) {
    // Found, not matched: a pattern would look at a long line again from each of its spaces.
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(colon, 0)).trim();
    if (/^[A-Z][A-Za-z -]*$/.test(key)) {
      last = key;
      if (!said.has(last)) said.set(last, line.slice(colon + 1).trim());
    } else if (/^\s+[\d,-]+$/.test(line) && last !== '') said.set(last, `${said.get(last)}${line.trim()}`);
  }
  const named = said.get('Name');
  const switched = said.get('Switchport');
  if (
    named === undefined ||
    interfaceName(named).toLowerCase() !== name.toLowerCase() ||
    !/^(?:En|Dis)abled$/.test(switched ?? '')
  )
    throw unreadable(command, lines[0] ?? '(nothing)');
  if (switched === 'Disabled') return { interface: name, mode: 'other' };
  const mode = modeOf(said.get('Administrative Mode'), said.get('Operational Mode'));
  const list = said.has('Trunking VLANs Enabled') ? 'Trunking VLANs Enabled' : 'Trunking VLANs Allowed';
  const access = /^(\d{1,4})\b/.exec(said.get('Access Mode VLAN') ?? '')?.[1];
  const native = /^(\d{1,4})\b/.exec(said.get('Trunking Native Mode VLAN') ?? '')?.[1];
  const allowed = vlanList(said.get(list) ?? '');
  if (allowed === undefined || last === list || access === undefined || native === undefined || !said.has('Operational Mode'))
    throw unreadable(command, lines.at(-1)!);
  if (mode === 'access') return { interface: name, mode, access: Number(access) };
  return mode === 'trunk' ? { interface: name, mode, native: Number(native), allowed: [...allowed] } : { interface: name, mode };
}
