// What the tests of the access switches share: a network without sockets in virtual time, and a session on one of them.
import { labAddresses } from '../../lab/model/addresses.ts';
import type { ConfigWrite } from '../../lab/model/chassis.ts';
import { Shell } from '../../lab/model/cli/shell.ts';
import { switchCommands } from '../../lab/model/cli/switch-exec.ts';
import { createNetwork, defaultTimers } from '../../lab/model/network.ts';
import { VirtualWall } from '../../src/testing/virtual-wall.ts';

const enablePassword = 'open-sesame';
export const web = '52:54:00:aa:bb:02';
export const db = '52:54:00:aa:bb:03';
export const operator = { user: 'offbox', peer: '127.23.0.1:40112', transport: 'cli' } as const;
export const port1 = 'GigabitEthernet1/0/1';
export const port2 = 'GigabitEthernet1/0/2';

export function build() {
  const wall = new VirtualWall(Date.UTC(2026, 10, 23, 3, 31, 9, 857));
  const said: string[] = [];
  const traps: string[] = [];
  const writes: ConfigWrite[] = [];
  const network = createNetwork({
    wall,
    timers: defaultTimers,
    addresses: labAddresses(23),
    emit: (name, event) => {
      if (event.kind === 'syslog') said.push(event.line.replace(/^.*?: %/, `${name} %`));
      else traps.push(`${name} ${event.oid} ${event.varbinds.map(({ oid, value }) => `${oid}=${value}`).join(' ')}`);
    },
    log: (write) => writes.push(write),
    changed: () => {},
  });
  const { fabric } = network;
  const set = (name: 'acc-1' | 'acc-2', port: string, line: string, replaces?: RegExp) =>
    fabric.switches[name].configure(
      { kind: 'set', path: [`interface ${port}`], line, ...(replaces ? { replaces } : {}) },
      line,
      operator,
    );
  const sticky = (name: 'acc-1' | 'acc-2') =>
    fabric.switches[name].running
      .find(({ line }) => line === `interface ${port1}`)
      ?.children.flatMap(({ line }) => /sticky (\S+)$/.exec(line)?.[1] ?? []);
  return { wall, said, traps, writes, network, fabric, set, sticky };
}

export async function session(name: 'acc-1' | 'acc-2', lab = build()) {
  const { wall, network } = lab;
  let screen = '';
  const vtys = () => [{ line: 0, user: 'offbox', from: '127.23.0.1' }];
  const context = { device: network.fabric.switches[name], wall, vtys, vty: 0 };
  const shell = new Shell({
    context,
    commands: switchCommands(context),
    operator,
    wall,
    enablePassword,
    answerMs: () => 10,
    write: (text) => {
      screen += text;
    },
    close: () => {},
  });
  shell.start();
  const type = async (text: string) => {
    const before = screen.length;
    shell.input(text);
    await wall.advance(10);
    return screen.slice(before);
  };
  for (const line of ['enable', enablePassword, 'terminal length 0']) await type(`${line}\r`);
  return {
    ...lab,
    shell,
    /** What it answers, without echo and prompt. */
    async ask(line: string) {
      return (await type(`${line}\r`))
        .replaceAll('\r\n', '\n')
        .replace(/^.*\n/, '')
        .replace(/\n?[\w-]+(\([\w-]+\))?#$/, '');
    },
    screen: () => screen.replaceAll('\r\n', '\n'),
  };
}
