// Owns: the folder a lab keeps its routers' files and keys in, and sweeping up those whose lab was killed.
import { chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { daemonsOf, frrConfig, type RouterName, routerNames, rsyslogConfig, sshdConfig } from './plan.ts';
import { output } from './process.ts';

const folderPrefix = 'offbox-lab-';

export interface RouterFolder {
  readonly path: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly hostKey: string;
}

export interface LabFolder {
  readonly path: string;
  /** The private key that the routers let in. */
  readonly clientKey: string;
  router(name: RouterName): RouterFolder;
  remove(): Promise<void>;
}

/** Folders carry their owner's pid; where that is gone the lab was killed. Its nodes ended with it, only files are left. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1];
    if (!owner) continue;
    const alive = await readFile(`/proc/${owner}/comm`).then(
      () => true,
      () => false,
    );
    if (!alive) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

const makeKey = (path: string) => output(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'offbox-lab', '-f', path]);

async function fingerprint(path: string): Promise<string> {
  const printed = await output(['ssh-keygen', '-lf', `${path}.pub`]); // `256 SHA256:… offbox-lab (ED25519)`
  return printed.split(' ')[1] ?? '';
}

async function frrOwner(): Promise<{ readonly uid: number; readonly gid: number }> {
  const [uid, gid] = (await output(['getent', 'passwd', 'frr'])).split(':').slice(2, 4).map(Number);
  return { uid: uid!, gid: gid! };
}

async function makeRouter(lab: string, name: RouterName, clientPublic: string): Promise<RouterFolder> {
  const path = join(lab, name);
  await mkdir(join(path, 'frr'), { recursive: true });
  await makeKey(join(path, 'host-key'));
  await writeFile(join(path, 'authorized-keys'), clientPublic);
  await writeFile(join(path, 'sshd_config'), sshdConfig(path));
  await writeFile(join(path, 'rsyslog.conf'), rsyslogConfig);
  await writeFile(join(path, 'daemons'), daemonsOf(name).join('\n'));
  await writeFile(join(path, 'frr', 'frr.conf'), frrConfig(name));
  // An empty one: without it, or unreadable to the person logged in, each vtysh complains.
  await writeFile(join(path, 'frr', 'vtysh.conf'), '');
  const { uid, gid } = await frrOwner();
  for (const file of ['frr', 'frr/frr.conf', 'frr/vtysh.conf']) await chown(join(path, file), uid, gid);
  return { path, hostKey: await fingerprint(join(path, 'host-key')) };
}

export async function makeFolder(): Promise<LabFolder> {
  await sweep();
  const path = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const clientKey = join(path, 'client-key');
  await makeKey(clientKey);
  const clientPublic = await readFile(`${clientKey}.pub`, 'utf8');
  const routers = new Map(
    await Promise.all(routerNames.map(async (name) => [name, await makeRouter(path, name, clientPublic)] as const)),
  );
  return {
    path,
    clientKey,
    router: (name) => routers.get(name)!,
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
