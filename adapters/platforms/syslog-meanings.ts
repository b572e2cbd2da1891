// Owns: what a syslog message means, whoever sent it: the platforms' readings, indexed by mnemonic or program, so that a
// message costs one look-up however many readings there are.
import type { SyslogFields } from '../../src/model/event.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { PlatformName } from '../../src/model/target.ts';
import { eosSyslog } from './arista-eos/syslog.ts';
import { iosSyslog } from './cisco-ios/syslog.ts';
import { iosxrSyslog } from './cisco-iosxr/syslog.ts';
import { nxosSyslog } from './cisco-nxos/syslog.ts';
import { frrSyslog } from './frr/syslog.ts';
import { junosSyslog } from './juniper-junos/syslog.ts';
import type { SyslogReading } from './syslog-readings.ts';

type Index = ReadonlyMap<string, readonly SyslogReading[]>;

/** What of each platform's messages is understood. */
export const syslogReadings: Readonly<Record<PlatformName, readonly SyslogReading[]>> = {
  'cisco-ios': iosSyslog,
  'cisco-iosxe': iosSyslog,
  'cisco-nxos': nxosSyslog,
  'cisco-iosxr': iosxrSyslog,
  'arista-eos': eosSyslog,
  'juniper-junos': junosSyslog,
  frr: frrSyslog,
  libvirt: [],
};

const indexOf = (list: Iterable<SyslogReading>): Index => Map.groupBy(list, ({ on }) => on);
const byPlatform = new Map(Object.entries(syslogReadings).map(([platform, list]) => [platform, indexOf(list)]));
const byAny = indexOf(new Set(Object.values(syslogReadings).flat()));

/** `PM-SW1-4-ERR_DISABLE`, `LINK-SP-3-UPDOWN`: a stack member, a supervisor or a slot speaks; the message is the same. */
const speaker = /^(\w+)-(?:SW\w*|SP|RP|DFC\w*|SLOT\d+|STANDBY)(-[0-7]-\w+)$/;

function meaningIn(index: Index, key: string, text: string): Meaning | null {
  for (const { pattern, meaning } of index.get(key) ?? []) {
    const match = pattern.exec(text);
    const found = match && meaning(match.groups ?? {});
    if (found) return found;
  }
  return null;
}

/** Null where the message is unknown, or known and its text is not. The platform's own readings come first, where it is known. */
export function syslogMeaning(message: Pick<SyslogFields, 'mnemonic' | 'app' | 'text'>, platform?: PlatformName): Meaning | null {
  const key = message.mnemonic ?? message.app;
  if (key === null) return null;
  const own = platform && byPlatform.get(platform);
  const found = (own && meaningIn(own, key, message.text)) ?? meaningIn(byAny, key, message.text);
  if (found || message.mnemonic === null) return found;
  const spoken = speaker.exec(key);
  return spoken && syslogMeaning({ ...message, mnemonic: `${spoken[1]}${spoken[2]}` }, platform);
}
