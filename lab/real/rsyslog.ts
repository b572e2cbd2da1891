// Owns: Debian's rsyslog as an independent sender: one rsyslogd that reads a socket of ours and forwards to a port on loopback.
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RuntimeFault } from '../../src/model/errors.ts';
import { eventually, output, start, stop } from './process.ts';

export interface Forwarding {
  readonly protocol: 'udp' | 'tcp';
  /** RFC 6587; UDP has none. */
  readonly framing?: 'octet-counted' | 'traditional';
  readonly format: 'RFC 3164' | 'RFC 5424';
  readonly port: number;
}

export interface Rsyslog {
  /** Logs each line as `vrrpd[60]`, facility daemon, severity info. */
  log(lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const templates = { 'RFC 3164': 'RSYSLOG_TraditionalForwardFormat', 'RFC 5424': 'RSYSLOG_SyslogProtocol23Format' } as const;

function configOf(socket: string, { protocol, framing, format, port }: Forwarding): string {
  const framed = framing ? `TCP_Framing="${framing}"` : '';
  return `module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${socket}")
:programname, isequal, "vrrpd" action(type="omfwd" target="127.0.0.1" port="${port}" protocol="${protocol}" ${framed} template="${templates[format]}")
`;
}

export async function startRsyslog(forwarding: Forwarding): Promise<Rsyslog> {
  const folder = await mkdtemp(join(tmpdir(), `offbox-lab-${process.pid}-`));
  const path = (name: string) => join(folder, name);
  await writeFile(path('conf'), configOf(path('log'), forwarding));
  const child = start(['rsyslogd', '-n', '-i', path('pid'), '-f', path('conf')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => {
      const remedy = 'See its standard error above.';
      reject(new RuntimeFault(`[lab] rsyslogd ended with ${code}`, { code: 'lab-rsyslog', remedy }));
    });
  });
  ended.catch(() => {}); // heard where it matters, below
  const listening = eventually('socket of rsyslogd', () => access(path('log')).then(() => true), {
    withinMs: 10_000,
    everyMs: 20,
  });
  await Promise.race([listening, ended]);
  return {
    async log(lines) {
      await writeFile(path('lines'), `${lines.join('\n')}\n`);
      // The default size of 1 KiB would cut a long line in two.
      const as = ['-t', 'vrrpd', '--id=60', '-p', 'daemon.info', '--size', '8KiB'];
      await output(['logger', '-u', path('log'), ...as, '-f', path('lines')]);
    },
    async stop() {
      await stop(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
