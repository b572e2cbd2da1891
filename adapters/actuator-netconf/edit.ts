// Owns: changing a configuration as one transaction of the best kind the target has.
//
// X1  Only an untouched candidate is edited. Somebody's uncommitted work is neither committed nor discarded by us.
// X2  Whatever fails after the lock: the candidate is discarded and the locks are given back before the error is told.
// X3  `confirm: 'on-loss'`: the target undoes the commit itself unless this session confirms it: when the session ends,
//     however it ends, or by the timer. So who comes after it reads what stands.
import { messageOf, TargetError } from '../../src/model/errors.ts';
import { netconfConfirmSeconds } from '../../src/model/limits.ts';

export interface Edit {
  readonly config: string;
  readonly confirm: 'on-loss' | 'never';
  /** For messages. */
  readonly place: string;
  readonly capabilities: ReadonlySet<string>;
  /** Sends one operation; the inner XML of its reply, or a TargetError. */
  readonly rpc: (operation: string, during: string) => Promise<string>;
  readonly wait: (ms: number) => Promise<void>;
}

/** A lock that another session has is tried again so often, so long after: half of what an application may take. */
const lockTriesMax = 10;
const lockAgainMs = 500;

const capability = (name: string): string => `urn:ietf:params:netconf:capability:${name}`;

export async function applyEdit(edit: Edit): Promise<string> {
  if (has(edit, 'candidate:1.0')) return throughCandidate(edit);
  if (has(edit, 'writable-running:1.0')) return edit.rpc(editConfig(edit, 'running'), 'the edit of running');
  throw new TargetError(
    `${edit.place} offers neither :candidate nor :writable-running, so it takes no configuration by NETCONF`,
    {
      code: 'not-writable',
      retry: false,
      remedy: 'Enable the candidate datastore on the target, or take away its netconf section so that the CLI is used.',
    },
  );
}

async function throughCandidate(edit: Edit): Promise<string> {
  return locked(edit, ['candidate', 'running'], async () => {
    await refuseDirty(edit);
    try {
      await edit.rpc(editConfig(edit, 'candidate'), 'the edit of the candidate');
      if (validates(edit)) {
        await edit.rpc('<validate><source><candidate/></source></validate>', 'to validate the candidate');
      }
      return await commit(edit);
    } catch (error) {
      throw await undone(edit, error);
    }
  });
}

async function commit(edit: Edit): Promise<string> {
  if (edit.confirm === 'never' || !(has(edit, 'confirmed-commit:1.1') || has(edit, 'confirmed-commit:1.0'))) {
    return edit.rpc('<commit/>', 'the commit');
  }
  // X3. Without <persist>: with it the commit would outlive its session (RFC 6241 section 8.4.1).
  const timeout = `<confirm-timeout>${netconfConfirmSeconds}</confirm-timeout>`;
  await edit.rpc(`<commit><confirmed/>${timeout}</commit>`, 'the confirmed commit');
  try {
    return await edit.rpc('<commit/>', 'to confirm the commit');
  } catch (error) {
    // Undone by its own timeout at the latest; at once is better.
    await edit.rpc('<cancel-commit/>', 'to cancel the commit').catch(() => undefined);
    throw error;
  }
}

/**
 * netconfd (yuma123 2.13) answers ok to a commit after a separate validate and commits nothing of what was merged; its
 * commit validates all the same. It is told by the module of its own that it names in its hello.
 */
function validates(edit: Edit): boolean {
  const yuma = [...edit.capabilities].some((uri) => uri.startsWith('http://yuma123.org/ns/'));
  return !yuma && (has(edit, 'validate:1.1') || has(edit, 'validate:1.0'));
}

/** Runs within locks, taken in order and given back in reverse, whatever happened. */
async function locked<T>(edit: Edit, datastores: readonly string[], work: () => Promise<T>): Promise<T> {
  const [datastore, ...rest] = datastores;
  if (datastore === undefined) return work();
  await lock(edit, datastore).catch((error: unknown) => {
    // netconfd says so of a modified candidate; RFC 6241 would have it say lock-denied. Somebody's work either way.
    const modified = error instanceof TargetError && error.code === 'resource-denied' && datastore === 'candidate';
    throw modified ? dirty(edit, error) : error;
  });
  try {
    return await locked(edit, rest, work);
  } finally {
    // A session that is gone has lost its locks; one that lives and does not unlock is named by the next lock-denied.
    await edit.rpc(`<unlock><target><${datastore}/></target></unlock>`, `to unlock ${datastore}`).catch(() => undefined);
  }
}

async function lock(edit: Edit, datastore: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await edit.rpc(`<lock><target><${datastore}/></target></lock>`, `the lock of ${datastore}`);
      return;
    } catch (error) {
      const denied = error instanceof TargetError && error.code === 'lock-denied';
      if (!denied || tries >= lockTriesMax) throw error;
    }
    await edit.wait(lockAgainMs);
  }
}

/**
 * X1. A server must deny the lock of a modified candidate (RFC 6241 section 7.5), but not all do: the part we are about
 * to change is compared as well. One that answers neither way is taken at its lock's word.
 */
async function refuseDirty(edit: Edit): Promise<void> {
  const filter = outline(edit.config);
  const read = (datastore: string): Promise<string> =>
    edit.rpc(
      `<get-config><source><${datastore}/></source><filter type="subtree">${filter}</filter></get-config>`,
      `to read ${datastore}`,
    );
  const [candidate, running] = [await read('candidate'), await read('running')];
  if (candidate === running) return;
  throw dirty(edit);
}

function dirty(edit: Edit, cause?: unknown): TargetError {
  return new TargetError(`${edit.place} has uncommitted changes in its candidate configuration`, {
    code: 'candidate-dirty',
    retry: false,
    remedy: 'Commit or discard them on the target; Offbox does neither with the work of others.',
    cause,
  });
}

/** The top elements of the edit with their children empty: a filter for the part it touches. `<native><router/></native>`. */
export function outline(config: string): string {
  let depth = 0;
  let filter = '';
  for (const [tag, close, name] of config.matchAll(/<(\/?)([\w.:-]+)(?:"[^"]*"|'[^']*'|[^>"'])*>/g)) {
    const bare = tag.replace(/\s[\w.-]*:?operation\s*=\s*(?:"[^"]*"|'[^']*')/, '');
    const empty = tag.endsWith('/>');
    if (close) {
      depth -= 1;
      if (depth === 0) filter += `</${name}>`;
    } else {
      if (depth === 0) filter += bare;
      else if (depth === 1) filter += empty ? bare : bare.replace(/>$/, '/>');
      if (!empty) depth += 1;
    }
  }
  return filter;
}

function editConfig(edit: Edit, datastore: string): string {
  const rollback = has(edit, 'rollback-on-error:1.0') ? '<error-option>rollback-on-error</error-option>' : '';
  return `<edit-config><target><${datastore}/></target>${rollback}<config>${edit.config}</config></edit-config>`;
}

/** X2. Discards our edit; the error to tell, which says so if that failed too. */
async function undone(edit: Edit, error: unknown): Promise<unknown> {
  try {
    await edit.rpc('<discard-changes/>', 'to discard the candidate');
    return error;
  } catch (second) {
    if (!(error instanceof TargetError)) return error;
    return new TargetError(`${error.message} And the candidate could not be discarded: ${messageOf(second)}`, {
      code: error.code,
      retry: error.retry,
      remedy: 'Look at the candidate configuration on the target.',
      cause: error,
    });
  }
}

function has(edit: Edit, name: string): boolean {
  return [...edit.capabilities].some((uri) => uri === capability(name) || uri.startsWith(`${capability(name)}?`));
}
