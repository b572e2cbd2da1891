// Owns: how a line is shown to people: what `offbox decode syslog` prints, one JSON object a line.
import type { SyslogFields } from '../../src/model/event.ts';
import type { Meaning } from '../../src/model/meaning.ts';
import type { PlatformName } from '../../src/model/target.ts';
import { syslogMeaning } from '../platforms/syslog-meanings.ts';
import { parseSyslog } from './wire.ts';

export interface DecodedSyslog extends Pick<SyslogFields, 'pri' | 'facility' | 'severity' | 'mnemonic' | 'host' | 'text'> {
  readonly kind: 'syslog';
  readonly deviceTime: string | null;
  readonly meaning: Meaning | null;
}

/** How Offbox reads this line. Never throws. Without the platform the readings of all are tried. */
export function decodeSyslog(line: string, platform?: PlatformName): DecodedSyslog {
  const { fields, deviceTime = null } = parseSyslog(line);
  const { pri, facility, severity, mnemonic, host, text } = fields;
  return { kind: 'syslog', pri, facility, severity, mnemonic, host, deviceTime, text, meaning: syslogMeaning(fields, platform) };
}
