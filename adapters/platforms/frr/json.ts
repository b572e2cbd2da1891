// Owns: reading FRR's JSON: whole and of the form expected, or unreadable.
import type { z } from 'zod';
import { unreadable } from '../dialogue.ts';

export function parseJson<T>(command: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: `vrrpd is not running`, or cut short.
    throw unreadable(command, text.trim().split('\n')[0] ?? '');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unreadable(command, `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'of another form'}`);
}
