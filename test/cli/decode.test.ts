import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runOffbox } from './offbox.ts';

const decode = (what: string, input: string | Buffer, ...words: string[]) =>
  runOffbox(tmpdir(), ['decode', what, ...words], input);
const traps = join(import.meta.dirname, '..', 'fixtures', 'traps');

describe('offbox decode', () => {
  it('prints one JSON object a syslog line, with the meaning where one is known', async () => {
    const lines = [
      '<189>46: gw-a: *Nov 23 03:31:09.857: %HSRP-5-STATECHANGE: Vlan10 Grp 10 state Standby -> Active',
      'no syslog at all',
    ];
    const { code, out } = await decode('syslog', `${lines.join('\n')}\n`);
    expect(code).toBe(0);
    const [first, second] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(first).toEqual({
      kind: 'syslog',
      pri: 189,
      facility: 23,
      severity: 5,
      mnemonic: 'HSRP-5-STATECHANGE',
      host: 'gw-a',
      deviceTime: 'Nov 23 03:31:09.857',
      text: 'Vlan10 Grp 10 state Standby -> Active',
      meaning: { kind: 'hsrp.state-changed', interface: 'Vlan10', group: 10, from: 'standby', to: 'active' },
    });
    expect(second).toMatchObject({ kind: 'syslog', mnemonic: null, meaning: null });
  });

  it('does not stumble over binary, a megabyte, or a last line without an end', async () => {
    const { code, out } = await decode(
      'syslog',
      Buffer.concat([Buffer.from([0xff, 0x00, 0xfe, 0x0a]), Buffer.alloc(1024 * 1024, 0x5b), Buffer.from('\n<189>x')]),
    );
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(3);
  });

  it('prints one JSON object a trap', async () => {
    const name = readdirSync(traps).find((one) => /hsrp/i.test(one))!;
    const { code, out } = await decode('trap', readFileSync(join(traps, name, 'datagram.hex'), 'utf8').replaceAll('\n', ''));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ kind: 'snmp' });
  });

  it('names the line that is no trap, goes on, and ends with 1', async () => {
    const { code, err } = await decode('trap', 'zz\n3003020100\n');
    expect(code).toBe(1);
    expect(err).toMatch(/line 1: .*\nline 2: /);
  });

  it('ends with 2 where it is used wrongly', async () => {
    expect((await decode('nonsense', '')).code).toBe(2);
    expect((await decode('syslog', '', '--platform', 'cisco-iso')).code).toBe(2);
  });
});
