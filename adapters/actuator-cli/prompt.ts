// Owns: reading a device's shell: bytes in, "prompt", "password wanted", "screen full" or "too long" out. Sans I/O: it
// never sends and never waits. Dialects are data (ports/platform.ts).
//
// P1  A prompt is the whole of an unfinished last line, believed only AFTER the echo of what we sent last (for an empty
//     line or a password: after a line end). So a late answer is never taken for the next command's: no off by one.
// P2  Once learned at login, the host in a prompt must be that host: output that merely looks like a prompt is output.
// P3  What comes while nothing was asked means that an answer was taken for finished too early, or that someone else
//     writes on this terminal: `strayed()` says so, and the session is not to be trusted further.
import type { CliDialect } from '../../src/ports/platform.ts';
import { Screen } from './screen.ts';

export interface Prompt {
  readonly host: string;
  /** The configuration mode the prompt names, as `config-router`. */
  readonly mode: string | undefined;
  /** Ends in `#`, not `>`. */
  readonly privileged: boolean;
}

/** What the device stands at. */
export type Seen =
  | { readonly kind: 'output' }
  | { readonly kind: 'prompt'; readonly prompt: Prompt; readonly lines: readonly string[] }
  | { readonly kind: 'password' }
  | { readonly kind: 'pager'; readonly key: string }
  | { readonly kind: 'too-long'; readonly bytes: number };

export interface PromptEngine {
  /** To be told BEFORE a line is sent; `typed` is what the device will echo: nothing for a password. */
  sending(typed: string): void;
  feed(bytes: Uint8Array): Seen;
  /** From now on only this host's prompts are prompts. */
  learn(host: string): void;
  /** Whether anything came since the last prompt, with nothing asked. */
  strayed(): boolean;
  /** The last line with anything on it, at most 160 characters: what to quote when it went wrong. */
  lastLine(): string;
}

/** IOS shortens a long host name in configuration prompts, so the prompt stays within a line: 20 characters remain. [weak] */
const shortenedHostLength = 20;
/** A prompt longer than this is none: host names end at 64 (DNS label 63), modes well below. */
const promptCharsMax = 256;

export function promptEngine(dialect: CliDialect, bytesMax: number): PromptEngine {
  const terminal = new Screen();
  let host: string | undefined;
  let lines: string[] = [];
  /** What we wait to see echoed; a session just opened may start with its prompt. */
  let echo: string | undefined;
  let bytesSeen = 0;
  let asked = true;
  let stray = false;

  function sending(typed: string): void {
    terminal.clear();
    lines = [];
    echo = typed.trim();
    bytesSeen = 0;
    asked = true;
    stray = false;
  }

  function finished(line: string): void {
    const text = line.trimEnd();
    if (echo === undefined) lines.push(text);
    // Whatever comes before the echo is not its answer. A device that redraws the line puts its prompt in front.
    else if (text.endsWith(echo)) echo = undefined;
  }

  function promptOf(line: string): Prompt | undefined {
    if (line.length > promptCharsMax) return undefined;
    const match = dialect.prompt.exec(line);
    const found = match?.groups?.host;
    if (!match || !found) return undefined;
    const mode = match.groups?.mode;
    const ours = host === undefined || found === host || (mode && found.length >= shortenedHostLength && host.startsWith(found));
    return ours ? { host: found, mode, privileged: line.trimEnd().endsWith('#') } : undefined;
  }

  function standing(): Seen {
    const line = terminal.line();
    if (line.length > promptCharsMax || echo !== undefined) return { kind: 'output' };
    if (dialect.pager.pattern.test(line)) {
      terminal.clear();
      return { kind: 'pager', key: dialect.pager.key };
    }
    if (dialect.passwordPrompt.test(line)) return { kind: 'password' };
    const prompt = promptOf(line);
    if (!prompt) return { kind: 'output' };
    asked = false;
    return { kind: 'prompt', prompt, lines: trimmed(lines) };
  }

  return {
    sending,
    feed(bytes) {
      if (!asked) {
        stray ||= bytes.length > 0;
        return { kind: 'output' };
      }
      bytesSeen += bytes.length;
      if (bytesSeen > bytesMax) return { kind: 'too-long', bytes: bytesSeen };
      terminal.feed(bytes, finished);
      return standing();
    },
    learn(name) {
      host = name;
    },
    strayed: () => stray,
    lastLine: () => (terminal.line().trim() || lines.findLast((line) => line.trim() !== '')?.trim() || '').slice(0, 160),
  };
}

/** Without the empty lines before and after. */
function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line !== '');
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex((line) => line !== '') + 1);
}
