// Owns: one word for a DSCP. Devices and inventories write `46`, `EF` and `ef`, or `0`, `cs0` and `default`, for one mark.

const names: ReadonlyMap<number, string> = new Map([
  [0, 'default'],
  ...[1, 2, 3, 4, 5, 6, 7].map((selector) => [selector * 8, `cs${selector}`] as const),
  ...[1, 2, 3, 4].flatMap((group) => [1, 2, 3].map((drop) => [group * 8 + drop * 2, `af${group}${drop}`] as const)),
  [44, 'voice-admit'],
  [46, 'ef'],
]);

const otherWords: Readonly<Record<string, string>> = { cs0: 'default', va: 'voice-admit' };

/** Every word for one. */
export const dscpWords: readonly string[] = [...names.values(), ...Object.keys(otherWords)];

/** The field's word where the mark has one (RFC 2474, 2597, 3246, 5865), else its number. What is no DSCP stays as it is, in lower case. */
export function dscpWord(written: string): string {
  const word = written.trim().toLowerCase();
  if (/^\d{1,2}$/.test(word)) return names.get(Number(word)) ?? String(Number(word));
  return Object.hasOwn(otherWords, word) ? otherWords[word]! : word;
}

/** Whether what is written is a mark of six bits, by its number or its word. */
export function isDscp(written: string): boolean {
  const word = dscpWord(written);
  return /^\d{1,2}$/.test(word) ? Number(word) <= 63 : dscpWords.includes(word);
}
