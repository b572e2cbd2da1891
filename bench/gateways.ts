// Owns: what Offbox and the two gateways of the reaction must agree on.

export const password = 'bench';
/** One network statement; the classful form is how IOS writes 23.0.0.0/8. */
export const prefix = '23.0.0.0/8';
export const neighbor = '10.0.2.1';
/** All of 127/8 is loopback on Linux: each gateway has an address of its own. */
export const addresses = ['127.0.0.11', '127.0.0.12'] as const;
/** Messages that ask for the network statement, and for its absence, whoever is active. */
export const asking = { wanted: 'BENCH-5-WANTED', unwanted: 'BENCH-5-UNWANTED' } as const;
