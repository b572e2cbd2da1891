// Owns: the requests we send as octets (RFC 3416), and the order of OIDs.
import { pduTag } from '../snmp/frame.ts';
import type { WritablePdu } from '../snmp/net-snmp.ts';

export type Request =
  | { readonly kind: 'get'; readonly oids: readonly string[] }
  /** What follows `after`, up to so many. */
  | { readonly kind: 'bulk'; readonly after: string; readonly repetitions: number }
  | { readonly kind: 'set'; readonly oid: string; readonly integer: number };

const tags = { get: pduTag.get, bulk: pduTag.bulk, set: pduTag.set } as const;

/** `engine` is the context's (RFC 3412): the agent's own. */
export function requestPdu(id: number, request: Request, engine?: Buffer): WritablePdu {
  // The second and third number are the error's place in an answer, and non-repeaters and repetitions in a GetBulk.
  const numbers = [id, 0, request.kind === 'bulk' ? request.repetitions : 0];
  const oids = request.kind === 'get' ? request.oids : [request.kind === 'set' ? request.oid : request.after];
  return {
    ...(engine ? { contextEngineID: engine } : {}),
    contextName: '',
    toBuffer(writer) {
      writer.startSequence(tags[request.kind]);
      for (const number of numbers) writer.writeInt(number);
      writer.startSequence();
      for (const oid of oids) {
        writer.startSequence();
        writer.writeOID(oid);
        if (request.kind === 'set') writer.writeInt(request.integer);
        else writer.writeNull();
        writer.endSequence();
      }
      writer.endSequence();
      writer.endSequence();
    },
  };
}

const arcsOf = (oid: string): readonly number[] => oid.split('.').map(Number);

/** Negative where `a` comes first. */
export function compareOids(a: string, b: string): number {
  const [left, right] = [arcsOf(a), arcsOf(b)];
  const at = left.findIndex((arc, i) => arc !== right[i]);
  if (at < 0) return left.length - right.length;
  return left[at]! - (right[at] ?? -1);
}

export const isBelow = (oid: string, root: string): boolean => oid.startsWith(`${root}.`);
