// What a selector refuses, as somebody writes it whose editor shows no types.
import { describe, expect, test } from 'vitest';
import type { Selector } from '../../src/core/selector.ts';
import * as words from '../../src/core/selectors.ts';
import { OperatorError } from '../../src/model/errors.ts';
import { meaningFields } from '../../src/model/meaning-fields.ts';

type Made = (where?: unknown) => Selector;
const { fhrp, hsrp, vrrp, interfaces, config, source, vm, syslog, snmp } = words as unknown as Record<
  string,
  Record<string, Made> & Made
>;

/** Every selector that authors get, by how they call it. */
const all: readonly (readonly [string, Made])[] = Object.entries(words).flatMap(([name, word]) =>
  typeof word === 'function'
    ? [[`${name}()`, word as Made] as const]
    : Object.entries(word).map(([last, made]) => [`${name}.${last}()`, made as Made] as const),
);

describe('a selector', () => {
  test.each(all)('%s refuses a field that it has not, by its own name, and tells those there are', (call, make) => {
    const wrong = () => make({ tagret: 'r1' });
    expect(wrong).toThrow(OperatorError);
    expect(wrong).toThrow(`${call}: it has no field \`tagret\`. Did you mean target? It takes `);
    expect(() => make({ kind: 'x' })).toThrow('it has no field `kind`');
    expect(() => make('r1')).toThrow(`${call}: "r1" is no object of fields. It takes `);
    expect(() => make({ target: 7 })).toThrow(`${call}: \`target\` is 7. Give it a text.`);
    expect(make({ target: 'r1' }).where).toMatchObject({ target: 'r1' });
    expect(make().select).toBe(make({}).select);
  });

  test.each([
    [() => syslog!({ mnemnic: 'DUPADDR' }), 'no field `mnemnic`. Did you mean mnemonic? It takes mnemonic, matches, target,'],
    [() => syslog!({ mnemonic: 42 }), '`mnemonic` is 42. Give it a mnemonic such as'],
    [() => syslog!({ mnemonic: '%IP-4-DUPADDR' }), '`mnemonic` is "%IP-4-DUPADDR". Give it a mnemonic'],
    [() => syslog!({ mnemonic: '' }), 'without the percent sign'],
    [() => syslog!({ mnemonic: undefined }), '`mnemonic` is undefined. Give it a mnemonic'],
    [() => syslog!({ matches: 'down' }), '`matches` is "down". Give it a regular expression such as /down$/.'],
    [() => syslog!(/DUPADDR/), 'syslog(): /DUPADDR/ is no object of fields'],
    [() => snmp!({ name: 'linkDown' }), 'no field `name`. It takes oid, target.'],
    [() => snmp!({ oid: '.1.3.6.1.6.3.1.1.5.3' }), 'Give it an OID such as 1.3.6.1.6.3.1.1.5.3'],
    [() => hsrp!.stateChanged!({ to: 'actve' }), '`to` is "actve". Did you mean active? It is one of disabled, init, learn,'],
    [() => vrrp!.stateChanged!({ to: 'active' }), '`to` is "active". It is one of initialize, backup, master, fault.'],
    [() => vrrp!.stateChanged!({ family: 4 }), '`family` is 4. It is one of ipv4, ipv6.'],
    [() => hsrp!.stateChanged!({ group: '23' }), '`group` is "23". Give it a whole number.'],
    [() => hsrp!.stateChanged!({ group: 2.5 }), '`group` is 2.5. Give it a whole number.'],
    [() => hsrp!.stateChanged!({ interface: 10 }), '`interface` is 10. Give it a text.'],
    [() => interfaces!.down!({ to: 'up' }), 'interfaces.down(): it has no field `to`'],
    [() => interfaces!.up!({ admin: 'yes' }), '`admin` is "yes". Give it true or false.'],
    [() => fhrp!.changed!({ gatway: 'lan23' }), 'Did you mean gateway? It takes gateway, member, role, from, target.'],
    [() => fhrp!.changed!({ gateway: null }), '`gateway` is null. Give it a text, or leave it out.'],
    [() => source!.gap!({ targets: ['r1'] }), '`targets` is a list, and no value to compare with. Look at it in the event.'],
    [() => vm!.migrated!({ nics: [] }), '`nics` is a list'],
    [() => vm!.lifecycle!({ event: 'migrated' }), '`event` is "migrated". It is one of defined, undefined,'],
    [() => config!.changed!({ by: 1n }), '`by` is what cannot be written. Give it a text.'],
    [() => config!.changed!({ by: 'x'.repeat(100).split('') }), '…. Give it a text.'],
  ])('tells what is wrong and what to write %#', (make, text) => {
    expect(make).toThrow(OperatorError);
    expect(make).toThrow(text);
  });

  test('takes every value that its meaning may have', () => {
    for (const [, make] of all) {
      const { select, name } = make();
      if (select !== 'meaning') continue;
      for (const { name: field, form, words: values } of meaningFields.get(name as never)!) {
        if (form === 'list' || form === 'parts' || make().where?.[field] !== undefined) continue;
        const some = { text: [''], word: values, number: [0.5], 'whole number': [0], 'true or false': [true, false] }[form];
        for (const value of some) expect(make({ [field]: value }).where).toMatchObject({ [field]: value });
      }
    }
  });
});
