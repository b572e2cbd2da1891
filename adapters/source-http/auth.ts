// Owns: who may send requests over HTTP: whoever has the token, or a certificate of one of the subjects listed. Where
// both are configured, both are asked for. The token is compared in constant time and told to nobody.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export interface Allowed {
  readonly token?: string;
  /** Subject names (CN, or a DNS or URI name of subjectAltName) of client certificates; the CA was checked by TLS. */
  readonly clients?: readonly string[];
}

export type Login =
  | { readonly kind: 'in' }
  | { readonly kind: 'out'; readonly status: 401 | 403; readonly cause: string; readonly remedy: string };

/** How far whoever got in may be believed. */
export function trustOf({ token, clients }: Allowed): 'authenticated' | 'claimed' {
  return token !== undefined || clients ? 'authenticated' : 'claimed';
}

/** `socket` as node gives it for a request. */
export function loginWith({ token, clients }: Allowed): (authorization: string | undefined, socket: object) => Login {
  const expected = token === undefined ? undefined : digest(token);
  return (authorization, socket) => {
    if (expected && !timingSafeEqual(digest(bearerOf(authorization)), expected)) {
      const cause = authorization === undefined ? 'a token is asked for' : 'this is not the token';
      return { kind: 'out', status: 401, cause, remedy: 'Send "Authorization: Bearer …" with the token that Offbox was given.' };
    }
    if (clients && !namesOf(socket as TLSSocket).some((name) => clients.includes(name))) {
      const remedy = 'Add its subject to sources.http.tls.clients.';
      return { kind: 'out', status: 403, cause: 'the subject of this certificate is not on the list', remedy };
    }
    return { kind: 'in' };
  };
}

/** Both sides are digested, so that neither length nor content shows in the time it takes. */
const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();

function bearerOf(authorization: string | undefined): string {
  return /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1] ?? '';
}

function namesOf(socket: TLSSocket): readonly string[] {
  if (!socket.authorized) return [];
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const common = subject?.CN as string | readonly string[] | undefined;
  // Names in quotes hold commas or worse: none of ours are written so.
  const alternative = (subjectaltname ?? '').includes('"') ? [] : (subjectaltname ?? '').split(', ');
  return [...[common ?? []].flat(), ...alternative.flatMap((name) => /^(?:DNS|URI):(.+)$/.exec(name)?.[1] ?? [])];
}
