// Owns: the grid of event time that schedules lie on. A schedule's phase comes from its name, so it needs no memory and
// many schedules do not all ring at once.

/** The first time after `after` on the grid of `periodMs` with the phase of `name`. */
export function nextOnGrid(after: number, periodMs: number, name: string): number {
  const phase = hash(name) % periodMs;
  return Math.floor((after - phase) / periodMs) * periodMs + periodMs + phase;
}

/** FNV-1a, 32 bits: small and the same everywhere; it only spreads. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
