// Owns: making a folder that Offbox keeps something in, or saying why there can be none.
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorError } from '../model/errors.ts';

const causes: Readonly<Record<string, string>> = {
  EEXIST: 'there is a file in its place',
  ENOTDIR: 'there is a file in its place',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOENT: 'nothing can be made there',
  EROFS: 'that file system is read-only',
};

/** With all above it; one that is there stays as it is. `folder` is absolute. Rejects with an OperatorError. */
export async function makeFolder(folder: string, what: string, remedy: string): Promise<void> {
  await made(folder).catch((thrown: NodeJS.ErrnoException) => {
    const cause = causes[thrown.code ?? ''] ?? thrown.code ?? thrown.message;
    throw new OperatorError(`${folder}: the folder of ${what} cannot be made: ${cause}`, {
      code: 'data-folder',
      remedy,
      cause: thrown,
    });
  });
}

/** One after the other: Node's own `recursive` never ends where a folder that is there takes no other, as /proc. */
async function made(folder: string): Promise<void> {
  const above = dirname(folder);
  if (above !== folder && !(await isThere(above))) await made(above);
  await mkdir(folder, { mode: 0o700 }).catch(async (thrown: NodeJS.ErrnoException) => {
    const isFolder = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder) throw thrown;
  });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
