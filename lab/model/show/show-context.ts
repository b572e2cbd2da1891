// Owns: what a show command may look at.
import type { Wall } from '../../../src/ports/wall.ts';
import type { Bgp } from '../bgp.ts';
import type { Chassis } from '../chassis.ts';
import type { Device } from '../device.ts';
import type { Switch } from '../switch/switch.ts';

/** One vty in use. */
export interface VtyLine {
  readonly line: number;
  readonly user: string;
  /** The peer's address, without its port. */
  readonly from: string;
}

export interface ShowContext {
  readonly device: Chassis;
  readonly wall: Wall;
  readonly vtys: () => readonly VtyLine[];
  /** The vty that asks. */
  readonly vty: number;
}

export interface RouterContext extends ShowContext {
  readonly device: Device;
  readonly bgp: Bgp;
}

export interface SwitchContext extends ShowContext {
  readonly device: Switch;
}

/** `00:00:12`, and `1d02h`, `2w3d` for longer spans, as IOS writes them. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  if (days >= 7) return `${Math.floor(days / 7)}w${days % 7}d`;
  if (days > 0) return `${days}d${String(hours).padStart(2, '0')}h`;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
