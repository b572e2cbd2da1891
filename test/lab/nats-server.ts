// Debian's nats-server, as a process.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, start, stop } from '../../lab/real/process.ts';

export const natsProgram = '/usr/sbin/nats-server';

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** SIGTERM, unless said otherwise. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Port -1 is any that is free, and a port of an earlier one starts it again. */
export async function startNatsServer(config: string, port = -1): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'offbox-nats-'));
  await writeFile(join(folder, 'nats.conf'), `listen: "127.0.0.1:${port}"\nports_file_dir: "${folder}"\n${config}\n`);
  const child = start([natsProgram, '-c', join(folder, 'nats.conf')]);
  child.stderr?.resume();
  const ports = await eventually(
    'port of nats-server',
    async () => {
      const name = (await readdir(folder)).find((each) => each.endsWith('.ports'));
      const text = name && (await readFile(join(folder, name), 'utf8'));
      return text ? (JSON.parse(text) as { readonly nats: readonly string[] }) : undefined;
    },
    { withinMs: 10_000, everyMs: 20 },
  );
  const url = ports.nats[0]!.replace(/^\w+:/, 'nats:');
  const end = async (signal?: NodeJS.Signals): Promise<void> => {
    await stop(child, signal);
    await rm(folder, { recursive: true, force: true });
  };
  return { url, port: Number(url.split(':').at(-1)), end };
}
