// The NETCONF actuator against netconfd (yuma123) behind OpenSSH: a server that nobody here wrote.
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { netconfActuator } from '../../adapters/actuator-netconf/index.ts';
import { whySkipped } from '../../lab/real/available.ts';
import { eventually, output, start, stop } from '../../lab/real/process.ts';
import { TargetError } from '../../src/model/errors.ts';
import type { SecretReference, Target } from '../../src/model/target.ts';
import type { Session } from '../../src/ports/actuator.ts';
import { realWall } from '../../src/runtime/wall.ts';

const why = whySkipped({
  programs: ['/usr/sbin/netconfd', '/usr/sbin/netconf-subsystem', '/usr/sbin/sshd', '/usr/bin/ssh-keygen'],
  privilege: 'root',
});
const never = new AbortController().signal;

const model = `module offbox-lab {
  namespace "urn:offbox:lab";
  prefix ol;
  revision 2026-01-01;
  container router {
    list bgp {
      key id;
      leaf id { type uint32; }
      list network {
        key number;
        leaf number { type string; }
        leaf length { type uint8 { range "0..32"; } }
      }
    }
  }
}
`;
const filter = '<router xmlns="urn:offbox:lab"/>';
const network = (length: string, operation = '') =>
  `<router xmlns="urn:offbox:lab"><bgp><id>65002</id><network${operation}><number>23.0.0.0</number>${length}</network></bgp></router>`;
const present = network('<length>8</length>');
const absent = network('', ' xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(why)(`netconfd over SSH${why ? ` (skipped: ${why})` : ''}`, () => {
  let folder: string;
  let target: Target;
  const running: ChildProcess[] = [];
  const sessions: Session[] = [];
  const secrets = (reference: SecretReference) => readFile('file' in reference ? reference.file : '', 'utf8');
  const actuator = netconfActuator({ wall: realWall, secrets });

  async function open(): Promise<Session> {
    const session = await actuator.open('yuma', target, never);
    sessions.push(session);
    return session;
  }

  const read = async (session: Session) => (await session.run({ kind: 'get-config', filter }, never)).text;

  async function refusal(promise: Promise<unknown>): Promise<TargetError> {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(TargetError);
    return error as TargetError;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offbox-netconf-'));
    await mkdir('/run/sshd', { recursive: true });
    const file = (name: string) => join(folder, name);
    for (const key of ['host', 'client']) await output(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
    const port = await freePort();
    await writeFile(file('offbox-lab.yang'), model);
    await writeFile(
      file('sshd_config'),
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${file('host')}`,
        `AuthorizedKeysFile ${file('client.pub')}`,
        'PermitRootLogin prohibit-password',
        'StrictModes no',
        'UsePAM no',
        'PidFile none',
        `Subsystem netconf "/usr/sbin/netconf-subsystem --ncxserver-sockname=${port}@${file('ncx.sock')}"`,
        '',
      ].join('\n'),
    );
    const netconfd = [
      '/usr/sbin/netconfd',
      `--module=${file('offbox-lab.yang')}`,
      '--no-startup',
      '--target=candidate',
      '--superuser=root',
    ];
    running.push(
      start(
        [
          ...netconfd,
          `--port=${port}`,
          `--ncxserver-sockname=${file('ncx.sock')}`,
          '--access-control=off',
          `--log=${file('netconfd.log')}`,
        ],
        { stdio: 'ignore' },
      ),
      start(['/usr/sbin/sshd', '-D', '-e', '-f', file('sshd_config')], { stdio: 'ignore' }),
    );
    const hostKey = (await output(['ssh-keygen', '-lf', file('host.pub')])).split(' ')[1]!;
    target = {
      platform: 'cisco-iosxe',
      address: '127.0.0.1',
      netconf: { port, user: 'root', key: { file: file('client') }, hostKey },
    };
    await eventually('netconfd', () => open(), { withinMs: 10_000, everyMs: 50 });
  });

  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.close();
  });

  afterAll(async () => {
    for (const child of running) await stop(child);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test('an edit is committed, confirmed, read back and taken back', async () => {
    const session = await open();
    expect(await read(session)).not.toContain('23.0.0.0');
    await session.run({ kind: 'edit', config: present, confirm: 'on-loss' }, never);
    expect(await read(session)).toMatch(/<(?:\w+:)?number>23\.0\.0\.0</);
    await session.run({ kind: 'edit', config: absent, confirm: 'never' }, never);
    expect(await read(session)).not.toContain('23.0.0.0');
  });

  test('a value the model forbids is refused with its path, and the next edit finds a clean candidate', async () => {
    const session = await open();
    const error = await refusal(session.run({ kind: 'edit', config: network('<length>33</length>'), confirm: 'never' }, never));
    expect(error).toMatchObject({ code: 'rpc-error', retry: false });
    expect(error.message).toMatch(/invalid-value.* at \/.*length/);
    await session.run({ kind: 'edit', config: present, confirm: 'never' }, never);
    await session.run({ kind: 'edit', config: absent, confirm: 'never' }, never);
  });

  test('a lock that another session holds is told with its id, and tried again later it works', async () => {
    const [session, other] = [await open(), await open()];
    await other.run({ kind: 'rpc', operation: '<lock><target><candidate/></target></lock>' }, never);
    const error = await refusal(session.run({ kind: 'edit', config: present, confirm: 'never' }, never));
    expect(error).toMatchObject({ code: 'lock-denied', retry: false });
    expect(error.message).toMatch(/held by session \d+/);
    await other.run({ kind: 'rpc', operation: '<unlock><target><candidate/></target></unlock>' }, never);
    await session.run({ kind: 'edit', config: present, confirm: 'on-loss' }, never);
    await session.run({ kind: 'edit', config: absent, confirm: 'on-loss' }, never);
  });

  test('the uncommitted work of others is neither committed nor discarded', async () => {
    const [session, other] = [await open(), await open()];
    const theirs = '<router xmlns="urn:offbox:lab"><bgp><id>64999</id></bgp></router>';
    const edit = `<edit-config><target><candidate/></target><config>${theirs}</config></edit-config>`;
    await other.run({ kind: 'rpc', operation: edit }, never);
    const error = await refusal(session.run({ kind: 'edit', config: present, confirm: 'never' }, never));
    expect(error).toMatchObject({ code: 'candidate-dirty', retry: false });
    expect(await read(session)).not.toMatch(/64999|23\.0\.0\.0/);
    const candidate = `<get-config><source><candidate/></source><filter type="subtree">${filter}</filter></get-config>`;
    expect((await other.run({ kind: 'rpc', operation: candidate }, never)).text).toContain('64999');
    await other.run({ kind: 'rpc', operation: '<discard-changes/>' }, never);
  });

  test('a commit that is not confirmed is undone by the target', async () => {
    const session = await open();
    const config = `<edit-config><target><candidate/></target><config>${present}</config></edit-config>`;
    await session.run({ kind: 'rpc', operation: config }, never);
    await session.run({ kind: 'rpc', operation: '<commit><confirmed/><confirm-timeout>600</confirm-timeout></commit>' }, never);
    expect(await read(session)).toContain('23.0.0.0');
    await session.close();
    const second = await open();
    await eventually('rollback', async () => !(await read(second)).includes('23.0.0.0'), { withinMs: 10_000, everyMs: 1_000 });
  });

  test('a session that is killed is a fault of transport', async () => {
    const other = await open();
    const listed = async (): Promise<ReadonlySet<string>> => {
      const filter = '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/></netconf-state>';
      const { text } = await other.run({ kind: 'get', filter }, never);
      return new Set([...text.matchAll(/session-id>(\d+)</g)].map(([, id]) => id!));
    };
    const before = await listed();
    const session = await open();
    const [id, ...more] = [...(await listed())].filter((each) => !before.has(each));
    expect(more).toEqual([]);
    let isClosed = false;
    void session.closed.then(() => {
      isClosed = true;
    });
    await other.run({ kind: 'rpc', operation: `<kill-session><session-id>${id}</session-id></kill-session>` }, never);
    await eventually(`the end of session ${id}`, async () => isClosed, { withinMs: 30_000, everyMs: 20 });
    expect(await refusal(session.run({ kind: 'get-config', filter }, never))).toMatchObject({ retry: true });
  });
});
