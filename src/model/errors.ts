// Owns: the three errors Offbox throws on purpose, one class a fault: whose it is, whether to try again, what to do.

interface FaultOptions {
  /** For machines, kebab-case and stable: `host-key-mismatch`. */
  readonly code: string;
  /** One sentence for the reader: what to do now. */
  readonly remedy: string;
  readonly cause?: unknown;
}

abstract class Fault extends Error {
  readonly code: string;
  readonly remedy: string;
  /** What happened, without the remedy: for putting into another sentence. */
  readonly summary: string;
  /** Whether trying the same again can help without a person changing something. */
  abstract readonly retry: boolean;

  constructor(message: string, options: FaultOptions) {
    super(`${message}${/[.!?]$/.test(message) ? '' : '.'} ${options.remedy}`, { cause: options.cause });
    this.name = new.target.name;
    this.summary = message.replace(/[.!?]$/, '');
    this.code = options.code;
    this.remedy = options.remedy;
  }
}

/** The operator's: a file, an argument, a policy or an inventory that cannot mean what it says. */
export class OperatorError extends Fault {
  readonly retry = false;
}

/** The target's, or of the way to it: unreachable, refused, cut short, answered nonsense. */
export class TargetError extends Fault {
  readonly retry: boolean;

  /** `retry` is true for faults of transport only; a device that said no will say no again. */
  constructor(message: string, options: FaultOptions & { readonly retry: boolean }) {
    super(message, options);
    this.retry = options.retry;
  }
}

/** Ours: the journal refused, an invariant broke. Never the reader's to mend but by the remedy it names. */
export class RuntimeFault extends Fault {
  readonly retry = false;
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    // No prototype, or a toString that throws: policies may throw anything.
    return 'something that has no text';
  }
}

/** The same without the remedy: for putting into another sentence. */
export function summaryOf(thrown: unknown): string {
  return thrown instanceof Fault ? thrown.summary : messageOf(thrown);
}

/** The same, with the remedy where trying again does not help and a person has to change something. Without its last full stop. */
export function toldOf(thrown: unknown): string {
  return thrown instanceof Fault && !thrown.retry ? thrown.message.replace(/\.$/, '') : summaryOf(thrown);
}
