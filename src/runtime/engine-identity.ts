// Owns: our SNMP engine: an id that stays and a boots counter that rises with every start (RFC 3414 section 2.2), kept in
// the data folder. Informs are refused by their senders when it goes back.
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, OperatorError } from '../model/errors.ts';

const identitySchema = z.strictObject({ id: z.string().regex(/^[0-9a-f]{10,64}$/), boots: z.int().min(0).max(2_147_483_646) });

export async function engineIdentity(folder: string): Promise<{ readonly id: string; readonly boots: number }> {
  const path = join(folder, 'snmp-engine.json');
  const before = await stored(path);
  // RFC 3411 SnmpEngineID: enterprise 0 with the high bit, format 5 (octets) and eight of our own.
  const identity = { id: before?.id ?? `8000000005${randomBytes(8).toString('hex')}`, boots: (before?.boots ?? 0) + 1 };
  await writeFile(`${path}.new`, JSON.stringify(identity), { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return identity;
}

async function stored(path: string): Promise<z.infer<typeof identitySchema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return identitySchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw new OperatorError(`${path} is damaged: ${messageOf(thrown)}`, {
      code: 'engine-identity',
      remedy: 'Delete it: a new SNMP engine id is made, and senders of informs discover it by themselves.',
      cause: thrown,
    });
  }
}
