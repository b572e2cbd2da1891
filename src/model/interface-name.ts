// Owns: one spelling for an interface. Devices write Gi7/48, GigabitEthernet7/48. and Vl20 for what the inventory
// calls GigabitEthernet7/48 and Vlan20 (formats seen on IOS, NX-OS and EOS). TenGigE0/0/0/1 of IOS-XR is shown as Te0/0/0/1, as IOS
// shows its TenGigabitEthernet: one spelling for both.

const longNames: readonly (readonly [short: string, long: string])[] = [
  ['appgigabitethernet', 'AppGigabitEthernet'],
  ['fourhundredgige', 'FourHundredGigE'],
  ['twentyfivegige', 'TwentyFiveGigE'],
  ['twogigabitethernet', 'TwoGigabitEthernet'],
  ['fivegigabitethernet', 'FiveGigabitEthernet'],
  ['tengigabitethernet', 'TenGigabitEthernet'],
  ['fortygigabitethernet', 'FortyGigabitEthernet'],
  ['hundredgige', 'HundredGigE'],
  ['fortygige', 'FortyGigabitEthernet'],
  ['gigabitethernet', 'GigabitEthernet'],
  ['fastethernet', 'FastEthernet'],
  ['port-channel', 'Port-channel'],
  ['bundle-ether', 'Bundle-Ether'],
  ['loopback', 'Loopback'],
  ['tengige', 'TenGigabitEthernet'],
  ['ethernet', 'Ethernet'],
  ['tunnel', 'Tunnel'],
  ['vlan', 'Vlan'],
  ['bdi', 'BDI'],
  ['bvi', 'BVI'],
  ['twe', 'TwentyFiveGigE'],
  ['fh', 'FourHundredGigE'],
  ['hu', 'HundredGigE'],
  ['tf', 'TwentyFiveGigE'],
  ['fo', 'FortyGigabitEthernet'],
  ['fi', 'FiveGigabitEthernet'],
  ['ap', 'AppGigabitEthernet'],
  ['bd', 'BDI'],
  ['bv', 'BVI'],
  ['te', 'TenGigabitEthernet'],
  ['tw', 'TwoGigabitEthernet'],
  ['gi', 'GigabitEthernet'],
  ['fa', 'FastEthernet'],
  ['eth', 'Ethernet'],
  ['et', 'Ethernet'],
  ['po', 'Port-channel'],
  ['lo', 'Loopback'],
  ['tu', 'Tunnel'],
  ['vl', 'Vlan'],
  ['be', 'Bundle-Ether'],
];
const byShort = new Map(longNames);
const form = /^([A-Za-z-]+)\s*(\d[\d/.:]*)$/;

/** The long, canonical name: `Vl20` → `Vlan20`, `Gi7/48,` → `GigabitEthernet7/48`. What it does not know stays as it is. */
export function interfaceName(written: string): string {
  const trimmed = withoutMarks(written.trimStart());
  const match = form.exec(trimmed);
  if (!match) return trimmed;
  const long = byShort.get(match[1]!.toLowerCase());
  return long ? `${long}${match[2]}` : trimmed;
}

/** Without the spaces and the punctuation of the sentence it ended. Counted, not matched: a pattern would look again at every dot of many. */
function withoutMarks(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s.,;:]/.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
