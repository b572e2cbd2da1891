// Owns: snmp-native, the first idea for traps, beside our own decoding: CPU time per v2c trap, on one thread.
import { createRequire } from 'node:module';
import { decodeTrap } from '../adapters/source-snmp/index.ts';
import { fixed, median, rateText, tableText } from './table.ts';

const native = createRequire(import.meta.url)('snmp-native') as { parse(bytes: Buffer): unknown };

/** cHsrpStateChange with sysUpTime, snmpTrapOID and cHsrpGrpStandbyState: active. */
const trap = Buffer.from(
  '305c02010104067075626c6963a74f020428b00f350201000201003041300e06082b06010201010300430230393019060a2b06010603010104' +
    '0100060b2b0601040109096a0200013014060f2b0601040109096a010201010f0301020106',
  'hex',
);

export interface TrapCosts {
  readonly offboxMicros: number;
  readonly nativeMicros: number;
}

export function trapCosts(traps: number): TrapCosts {
  const cost = (decode: (bytes: Buffer) => unknown): number => {
    const before = process.threadCpuUsage();
    for (let n = 0; n < traps; n += 1) decode(trap);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / traps;
  };
  const runs = Array.from({ length: 7 }, () => ({ offboxMicros: cost(decodeTrap), nativeMicros: cost(native.parse) })).slice(2);
  return {
    offboxMicros: median(runs.map(({ offboxMicros }) => offboxMicros)),
    nativeMicros: median(runs.map(({ nativeMicros }) => nativeMicros)),
  };
}

export function trapCostsText({ offboxMicros, nativeMicros }: TrapCosts): string {
  const row = (name: string, micros: number): readonly string[] => [name, fixed(micros), rateText(1e6 / micros)];
  const rows = [
    row('Offbox: frame checked, decoded, named, meaning', offboxMicros),
    row('snmp-native: decoded (v2c only)', nativeMicros),
  ];
  return tableText(['', 'µs CPU/trap', 'traps/s'], rows);
}
