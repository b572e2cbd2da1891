// Most messages concern nobody: whatever looks at every entry must not read them. A written event of torn JSON tells who does.
import { expect, test } from 'vitest';
import { Engine } from '../../src/core/engine.ts';
import { WrittenEvent } from '../../src/model/written-event.ts';
import { Requests } from '../../src/runtime/requests.ts';
import { View } from '../../src/runtime/view.ts';

test('engine, view and requests leave a message unread that nobody listens to', () => {
  const brief = { peer: '192.0.2.1', host: null, mnemonic: 'SYS-5-CONFIG_I', meaning: 'config.changed' } as const;
  const entry = { kind: 'event', event: new WrittenEvent(brief, 'torn'), at: 1, seq: 1 } as const;
  const engine = new Engine([]);
  const requests = new Requests();
  expect(() => {
    engine.step(entry);
    new View(engine, requests).take(entry);
    requests.take(entry);
  }).not.toThrow();
  expect(() => entry.event.syslog).toThrow(SyntaxError);
});
