// The hypervisors plugged into the access switches, in virtual time: what a migration does to the switches, and what it takes
// to set it right.
import { expect, test } from 'vitest';
import { syslogMeaning } from '../../adapters/platforms/syslog-meanings.ts';
import { createHypervisors } from '../../lab/model/hypervisor.ts';
import { build, operator, port1, port2 } from './switch-session.ts';

const web1 = '52:54:00:aa:bb:01';
const db1 = '52:54:00:aa:bb:02';

function plugged() {
  const lab = build();
  const addresses = { kvm1: '127.23.0.7', kvm2: '127.23.0.8' };
  const hypervisors = createHypervisors({
    wall: lab.wall,
    names: ['kvm1', 'kvm2'],
    addresses,
    frame: (on, mac, vlan) => void lab.fabric.frame(on, mac, vlan),
  });
  const acc1 = lab.fabric.switches['acc-1'];
  return {
    ...lab,
    hypervisors,
    acc1,
    secure: (name: 'acc-1' | 'acc-2') => lab.fabric.switches[name].secureRows({ port: port1 }).map(({ mac }) => mac),
    clear: () => acc1.clearSecure({ type: 'sticky', mac: web1 }, 'clear port-security sticky address 5254.00aa.bb01', operator),
    async migrate() {
      const over = hypervisors.migrate('web1', 'kvm2');
      await lab.wall.advance(10_000);
      await over;
    },
  };
}

test('a guest that has moved is still sent to its old port by the old switch, until its sticky address is cleared there', async () => {
  const { wall, fabric, secure, clear, migrate, said } = plugged();
  await wall.advance(1_000);
  expect(secure('acc-1')).toEqual([web1, db1]);
  await migrate();
  expect(secure('acc-2')).toContain(web1);
  expect([fabric.towards('acc-1', web1, 10), fabric.towards('acc-2', web1, 10)]).toEqual([port1, port1]);
  clear();
  await wall.advance(200);
  expect([fabric.towards('acc-1', web1, 10), fabric.towards('acc-2', web1, 10)]).toEqual(['nve1.VNI10010', port1]);
  await wall.advance(60_000);
  expect(secure('acc-1')).toEqual([db1]);
  expect(said).toEqual([]);
});

test('cleared while the guest still runs on the old hypervisor, the address is back with its next frame', async () => {
  const { wall, hypervisors, secure, clear } = plugged();
  const over = hypervisors.migrate('web1', 'kvm2');
  await wall.advance(1_000);
  clear();
  expect(secure('acc-1')).toEqual([db1]);
  await wall.advance(200);
  expect(secure('acc-1')).toContain(web1);
  await wall.advance(10_000);
  await over;
  expect(secure('acc-1')).toContain(web1);
});

test('what a violation says is understood by Offbox', async () => {
  const { wall, fabric, said } = plugged();
  await wall.advance(1_000);
  fabric.frameAt({ switch: 'acc-1', port: port2 }, web1, 10);
  const meanings = said.map((line) => {
    const [, mnemonic, text] = /^acc-1 %(\S+): (.*)$/.exec(line) ?? [];
    return syslogMeaning({ mnemonic: mnemonic ?? null, app: null, text: text ?? '' }, 'cisco-ios');
  });
  expect(meanings.slice(0, 2)).toEqual([
    { kind: 'interface.err-disabled', interface: port2, cause: 'psecure-violation' },
    { kind: 'port-security.violation', interface: port2, mac: web1 },
  ]);
});
