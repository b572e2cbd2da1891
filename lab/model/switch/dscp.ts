// Owns: the words that a DSCP goes by.

const dscpNumbers: Readonly<Record<string, number>> = {
  default: 0,
  ef: 46,
  ...Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`cs${i + 1}`, 8 * (i + 1)])),
  ...Object.fromEntries([1, 2, 3, 4].flatMap((x) => [1, 2, 3].map((y) => [`af${x}${y}`, 8 * x + 2 * y]))),
};

/** `cs4 (32)`; a number as it was written. */
export const dscpText = (dscp: string) => (dscp in dscpNumbers ? `${dscp} (${dscpNumbers[dscp]})` : dscp);

/** Whether it is a DSCP by its word or its number. */
export function isDscp(word: string): boolean {
  return Object.hasOwn(dscpNumbers, word) || (/^\d{1,2}$/.test(word) && Number(word) <= 63);
}
