// The real network itself, without Offbox: what the scenarios in frr.test.ts build on.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkNeeds, whySkipped } from '../../lab/real/available.ts';
import { makeFolder } from '../../lab/real/folder.ts';
import { type RealNetwork, realNetwork } from '../../lab/real/network.ts';
import { nextHop } from '../../lab/real/plan.ts';
import { eventually, onLines, start, stop } from '../../lab/real/process.ts';
import { advertise, becomes, bgpUp, routedVia, vrrpState } from '../../lab/real/state.ts';
import { longestMs } from '../../lab/real/watch.ts';

const why = whySkipped(networkNeeds);

const running = (pid: number) => existsSync(`/proc/${pid}`);

test.skipIf(why)('a lab whose process is killed leaves no node behind, and the next one sweeps its files', async () => {
  const child = start([process.execPath, join(import.meta.dirname, '../../lab/real/up.ts')]);
  const printed = await new Promise<string>((resolve) => {
    let text = '';
    onLines(child, (line) => {
      text += `${line}\n`;
      if (/Ctrl-C/.test(line)) resolve(text);
    });
  });
  const pids = [...printed.matchAll(/nsenter -t (\d+)/g)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(5);
  expect(pids.every(running)).toBe(true);
  await stop(child, 'SIGKILL');
  await eventually('end of every node', async () => !pids.some(running), { withinMs: 10_000, everyMs: 20 });
  const folder = /; (\S+) has its files/.exec(printed)![1]!;
  expect(existsSync(folder)).toBe(true);
  const next = await makeFolder();
  expect(existsSync(folder)).toBe(false);
  await next.remove();
});

describe.skipIf(why)(`the real network${why ? ` (skipped: ${why})` : ''}`, () => {
  let network: RealNetwork;
  beforeAll(async () => {
    network = await realNetwork();
    await bgpUp(network, nextHop.nx2, nextHop.nx3);
    await becomes(network, 'nx2', 'Master');
  });
  afterAll(() => network?.down());

  test('elects nx2 and leaves nx3 in wait', async () => {
    expect(await vrrpState(network, 'nx3')).toBe('Backup');
  });

  test("lets the operator into the router's CLI by key, with the host key it reports", async () => {
    const { clientKey, path } = network.folder;
    const known = join(path, 'known-hosts');
    await writeFile(known, `10.99.0.2 ${await readFile(join(path, 'nx2', 'host-key.pub'), 'utf8')}`);
    const trust = ['-o', `UserKnownHostsFile=${known}`, '-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes'];
    const child = network.spawnIn('mgr', ['ssh', '-n', '-i', clientKey, ...trust, 'netop@10.99.0.2', 'show vrrp summary']);
    const lines: string[] = [];
    onLines(child, (line) => lines.push(line));
    const [code] = await once(child, 'exit');
    expect([code, lines.join('\n')]).toEqual([0, expect.stringMatching(/lan +1 +200 +1 +0 +Master/)]);
  });

  test('has no route back until somebody advertises, and then pings pass', async () => {
    expect(await network.kernelRoutes('ext')).toEqual([]);
    await advertise(network, 'nx2', 'present');
    await routedVia(network, nextHop.nx2);
    const ping = network.ping('host', 50);
    await ping.answer();
    expect((await ping.stop()).passing).toBe(true);
  });

  test('shows on the far side everybody who advertises', async () => {
    await advertise(network, 'nx3', 'present');
    await routedVia(network, nextHop.nx2, nextHop.nx3);
    await advertise(network, 'nx3', 'absent');
    await routedVia(network, nextHop.nx2);
  });

  test('keeps the route of a member whose LAN is down: withdrawing it is not left to the router', async () => {
    const watch = network.sampleNextHops('ext', 50);
    await network.lanDown('nx2');
    await becomes(network, 'nx3', 'Master');
    expect(longestMs(await watch.stop(), (via) => via.length === 0)).toBe(0);
    expect(await network.kernelRoutes('ext')).toEqual([nextHop.nx2]);
    await network.lanUp('nx2');
    await becomes(network, 'nx2', 'Master');
    await becomes(network, 'nx3', 'Backup');
  });

  test('tells the manager of a failover by syslog, over UDP and TCP, and of the return', async () => {
    const collector = await network.collectSyslog();
    const from = performance.now();
    await network.killNode('nx2');
    const takesOver = (transport: 'udp' | 'tcp') =>
      collector.first(
        `takeover over ${transport}`,
        (heard) => heard.transport === transport && /vrrpd\[\d+\]: .*\[VRID 1\] \[IPv4\] Backup -> Master/.test(heard.text),
        20_000,
      );
    const overUdp = await takesOver('udp');
    expect(overUdp.from).toBe('10.99.0.3');
    expect(overUdp.text).toMatch(/^<30>\w{3} [ \d]\d \d\d:\d\d:\d\d nx3 vrrpd\[/);
    await takesOver('tcp');
    await routedVia(network);
    await network.bootNode('nx2');
    await becomes(network, 'nx2', 'Master');
    const yields = await collector.first('return', ({ text }) => /nx3 .*Master -> Backup/.test(text), 20_000);
    await bgpUp(network, nextHop.nx2, nextHop.nx3);
    expect(await network.kernelRoutes('ext')).toEqual([]);
    await collector.stop();
    console.log(
      `syslog of the takeover ${((overUdp.at - from) / 1000).toFixed(2)} s after the kill, of the return ${((yields.at - from) / 1000).toFixed(2)} s`,
    );
  });

  test('leaves a stale virtual address where vrrpd is killed, and lives on when it is started again', async () => {
    await network.killDaemon('nx2', 'vrrpd');
    await becomes(network, 'nx3', 'Master');
    expect(await network.run('nx2', 'ip -br addr show vrrp4-1')).toMatch(/UP .*23\.0\.0\.1/);
    await network.startDaemon('nx2', 'vrrpd');
    await becomes(network, 'nx2', 'Master');
    await becomes(network, 'nx3', 'Backup');
  });
});
