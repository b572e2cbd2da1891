// Owns: a CLI session's life: SSH shell, login, enable, preamble, exec and configuration commands, refusals, the end.
import type { ClientChannel } from 'ssh2';
import { OperatorError, RuntimeFault, TargetError } from '../../src/model/errors.ts';
import type { CliAccess, PlatformName, Target } from '../../src/model/target.ts';
import type { Actuator, Command, Reply, Secrets, Session } from '../../src/ports/actuator.ts';
import type { CliDialect } from '../../src/ports/platform.ts';
import type { Wall } from '../../src/ports/wall.ts';
import { abandoned, connectSsh, lost, type SshConnection, type SshPeer } from '../ssh/connection.ts';
import { type Answer, type Shell, shell } from './shell.ts';

export interface CliActuatorOptions {
  readonly wall: Wall;
  readonly secrets: Secrets;
  readonly dialectOf: (platform: PlatformName) => CliDialect | undefined;
}

/** Wide enough that no device wraps or scrolls a line we type or read; IOS and vtysh take the pty's width. */
const pty = { term: 'vt100', cols: 511, rows: 1000 };
/** How long a peer may take to close after we said goodbye. */
const farewellMs = 100;
/** A refusal shows within the first lines: marker, message. Further down a % is data. */
const refusalLines = 4;

export function cliActuator(options: CliActuatorOptions): Actuator {
  return {
    transport: 'cli',
    async open(name, target, signal) {
      const { peer, access, dialect } = accessOf(options, name, target);
      const enable = access.enable ? await options.secrets(access.enable) : undefined;
      const password = access.password ? await options.secrets(access.password) : undefined;
      const connection = await connectSsh(peer, options.secrets, signal);
      const opened = await openShell(peer, connection, signal);
      const talk = shell(opened, dialect, `[${peer.adapter}] ${name}`);
      const life = live(options.wall, peer, connection, opened, talk);
      await life.guard(signal, 'logging in', () => login({ peer, dialect, talk, password, enable }));
      return session(peer, dialect, talk, life);
    },
  };
}

function accessOf(options: CliActuatorOptions, name: string, target: Target) {
  const access = target.cli;
  const dialect = options.dialectOf(target.platform);
  if (!access || !dialect) {
    const what = access
      ? `platform ${target.platform}, whose command line Offbox does not know`
      : 'no cli access in the inventory';
    throw new OperatorError(`[actuator-cli] ${name} has ${what}`, {
      code: 'no-cli',
      remedy: 'Give the target a cli section and a platform that has a command line.',
    });
  }
  const peer: SshPeer = { adapter: 'actuator-cli', name, address: target.address, port: access.port ?? 22, access };
  return { peer, access: access satisfies CliAccess, dialect };
}

function openShell(peer: SshPeer, connection: SshConnection, signal: AbortSignal): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(abandoned(peer, 'opening a shell', signal.reason));
      connection.client.destroy();
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    void connection.ended.then((fault) => reject(fault ?? lost(peer, 'closed the connection instead of opening a shell')));
    connection.client.shell(pty, (error, stream) => {
      signal.removeEventListener('abort', abort);
      if (!error) {
        resolve(stream);
        return;
      }
      reject(lost(peer, `opened no shell: ${error.message}`, error));
      connection.client.destroy();
    });
  });
}

interface Life {
  readonly closed: Promise<void>;
  close(): Promise<void>;
  /** Runs one exchange: an abort or an error of transport ends the session with it. */
  guard<T>(signal: AbortSignal, during: string, exchange: () => Promise<T>): Promise<T>;
}

/** Ties channel, connection and shell together, so that the end of one is the end of all. */
function live(wall: Wall, peer: SshPeer, connection: SshConnection, stream: ClientChannel, talk: Shell): Life {
  const closed = connection.ended.then((fault) => {
    const said = talk.lastLine();
    talk.fail(fault ?? lost(peer, `closed the session${said ? ` after "${said}"` : ''}`));
  });
  stream.on('close', () => connection.client.destroy());
  stream.on('error', () => connection.client.destroy());
  // Unread, the other stream would stall the channel's window.
  stream.stderr.resume();
  return {
    closed,
    async close() {
      connection.client.end();
      const cancel = wall.after(farewellMs, () => connection.client.destroy());
      await closed;
      cancel();
    },
    async guard(signal, during, exchange) {
      const abort = (): void => {
        talk.fail(abandoned(peer, during, signal.reason));
        connection.client.destroy();
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
      try {
        return await exchange();
      } catch (error) {
        // A device's no and our own mistake leave the terminal at its prompt; anything else leaves nobody knows what.
        const stays = error instanceof RuntimeFault || (error instanceof TargetError && error.code === 'refused-command');
        if (!stays) connection.client.destroy();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

interface Login {
  readonly peer: SshPeer;
  readonly dialect: CliDialect;
  readonly talk: Shell;
  readonly password: string | undefined;
  readonly enable: string | undefined;
}

/** From whatever the shell shows first to a learned, privileged prompt without paging. */
async function login({ peer, dialect, talk, password, enable }: Login): Promise<void> {
  let answer = await talk.greeting();
  if (answer === 'password') answer = await talk.answerPassword(password ?? '');
  if (answer === 'password') throw refusedLogin(peer, 'asked for the password again', 'Check the password in the inventory.');
  // The first answer that carries our echo teaches the host: a banner may look like a prompt.
  let current = await talk.ask(dialect.preamble[0] ?? '');
  talk.learn(current.prompt.host);
  if (!current.prompt.privileged && dialect.enable) current = await raise(peer, dialect.enable, talk, enable);
  // Again from the first: some boxes refuse it in user mode. A refusal is no fault.
  for (const line of dialect.preamble) current = await talk.ask(line);
}

async function raise(peer: SshPeer, command: string, talk: Shell, enable: string | undefined): Promise<Answer> {
  let answer = await talk.askMaybePassword(command);
  if (answer === 'password') {
    if (enable === undefined) {
      throw new OperatorError(`[${peer.adapter}] ${peer.name} wants an enable password and the inventory has none`, {
        code: 'no-enable-password',
        remedy: 'Add `enable` to the cli section of the target.',
      });
    }
    answer = await talk.answerPassword(enable);
  }
  if (answer === 'password' || !answer.prompt.privileged) {
    throw refusedLogin(peer, 'refused the enable password', 'Check `enable` of the target in the inventory.');
  }
  return answer;
}

function refusedLogin(peer: SshPeer, what: string, remedy: string): TargetError {
  return new TargetError(`[${peer.adapter}] ${peer.name} ${what}`, { code: 'login-refused', retry: false, remedy });
}

function session(peer: SshPeer, dialect: CliDialect, talk: Shell, life: Life): Session {
  let busy = false;
  async function run(command: Command, signal: AbortSignal): Promise<Reply> {
    if (busy) throw misuse(peer, 'was given a command while another runs', 'Queue the commands of a target.');
    busy = true;
    try {
      return await life.guard(signal, `running ${describe(command)}`, async () => {
        if (talk.strayed()) throw lost(peer, 'wrote on its terminal unasked, so its last answer may have been cut short');
        if (command.kind === 'cli') return { text: (await execute(peer, dialect, talk, command.line)).join('\n') };
        if (command.kind === 'configure') return { text: (await configure(peer, dialect, talk, command.lines)).join('\n') };
        throw misuse(peer, `cannot run a ${command.kind}`, 'Send it over NETCONF.');
      });
    } finally {
      busy = false;
    }
  }
  return { run, close: life.close, closed: life.closed };
}

async function execute(peer: SshPeer, dialect: CliDialect, talk: Shell, line: string): Promise<readonly string[]> {
  const { lines } = await talk.ask(oneLine(peer, line));
  const refusal = refusalIn(dialect, lines.slice(0, refusalLines));
  if (refusal !== undefined)
    throw refused(peer, `refused "${line}": ${refusal}`, 'Check the platform of the target in the inventory.');
  return lines;
}

async function configure(peer: SshPeer, dialect: CliDialect, talk: Shell, lines: readonly string[]): Promise<readonly string[]> {
  for (const line of lines) oneLine(peer, line);
  const entered = await talk.ask(dialect.configure);
  if (!entered.prompt.mode) {
    const said = entered.lines.at(-1) ?? 'no reason given';
    throw refused(peer, `did not enter configuration mode: ${said}`, 'See who holds it, and whether the user may configure.');
  }
  const said: string[] = [];
  for (const [index, line] of lines.entries()) {
    const answer = await talk.ask(line);
    const refusal = refusalIn(dialect, answer.lines) ?? (answer.prompt.mode ? undefined : 'it left configuration mode');
    if (refusal !== undefined) {
      if (answer.prompt.mode) await leave(peer, dialect, talk);
      const before = index === 0 ? 'nothing was changed' : `the ${index} before it were taken`;
      throw refused(
        peer,
        `refused line ${index + 1} of ${lines.length}, "${line}": ${refusal} (${before})`,
        'Check the platform of the target and what it has configured now.',
      );
    }
    said.push(...answer.lines);
  }
  said.push(...(await leave(peer, dialect, talk)));
  return said;
}

async function leave(peer: SshPeer, dialect: CliDialect, talk: Shell): Promise<readonly string[]> {
  const { prompt, lines } = await talk.ask(dialect.leaveConfigure);
  if (prompt.mode)
    throw lost(peer, `stayed in configuration mode after "${dialect.leaveConfigure}": ${lines.at(-1) ?? 'it said nothing'}`);
  return lines;
}

function refusalIn(dialect: CliDialect, lines: readonly string[]): string | undefined {
  return lines
    .find((line) => dialect.failures.some((failure) => failure.test(line)))
    ?.trim()
    .slice(0, 200);
}

/** A line end in a line would be a second command. */
function oneLine(peer: SshPeer, line: string): string {
  if (/^[\x20-\x7e]+$/.test(line) && !line.includes('?')) return line;
  throw misuse(
    peer,
    `was given ${JSON.stringify(line.slice(0, 80))}, which is not one printable line`,
    'Fix the resource that made it.',
  );
}

function refused(peer: SshPeer, what: string, remedy: string): TargetError {
  return new TargetError(`[${peer.adapter}] ${peer.name} ${what}`, { code: 'refused-command', retry: false, remedy });
}

function misuse(peer: SshPeer, what: string, remedy: string): RuntimeFault {
  return new RuntimeFault(`[${peer.adapter}] ${peer.name} ${what}`, { code: 'bad-command', remedy });
}

function describe(command: Command): string {
  return command.kind === 'cli' ? `"${command.line.slice(0, 80)}"` : command.kind;
}
