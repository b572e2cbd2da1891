// Owns: how a MAC address is written: `52:54:00:aa:bb:02` inside, `5254.00aa.bb02` on a Cisco device.

/** 48 bits in whatever notation, as lower-case hex with colons. Undefined where it is no MAC address. */
export function macAddress(written: string): string | undefined {
  const digits = written.replace(/[.:-]/g, '').toLowerCase();
  return /^[0-9a-f]{12}$/.test(digits) ? digits.match(/../g)!.join(':') : undefined;
}

export function dottedMac(mac: string): string {
  return mac.replaceAll(':', '').match(/..../g)!.join('.');
}

export function macOctets(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16));
}
