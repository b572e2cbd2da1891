// Debian's rsyslog sends, Offbox's syslog source receives: two readings of RFC 3164, 5424 and 6587 that were not written together.
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { syslogSource } from '../../adapters/source-syslog/index.ts';
import { whySkipped } from '../../lab/real/available.ts';
import { type Forwarding, type Rsyslog, startRsyslog } from '../../lab/real/rsyslog.ts';
import type { Event } from '../../src/model/event.ts';
import type { Source } from '../../src/ports/source.ts';
import { realWall } from '../../src/runtime/wall.ts';

const why = whySkipped({ programs: ['/usr/sbin/rsyslogd', '/usr/bin/logger'], privilege: 'none' });
const loopback = { host: '127.0.0.1', port: 0 };

const ways: readonly Omit<Forwarding, 'port'>[] = [
  { protocol: 'udp', format: 'RFC 3164' },
  { protocol: 'udp', format: 'RFC 5424' },
  { protocol: 'tcp', framing: 'octet-counted', format: 'RFC 3164' },
  { protocol: 'tcp', framing: 'octet-counted', format: 'RFC 5424' },
  { protocol: 'tcp', framing: 'traditional', format: 'RFC 3164' },
  { protocol: 'tcp', framing: 'traditional', format: 'RFC 5424' },
];

/** What is hard about it: a meaning, a byte that is not ASCII, a percent, a leading number, a line of 4 kB. */
const special = [
  '[SN55S-ESQ86] [CORE] [VRID 1] [IPv4] Backup -> Master',
  'Zürich – 東京 says 46 <189>46: no frame',
  '46 <189>1 looks like an octet count',
  `long ${'x'.repeat(4_000)} end`,
];
const lines = [...special, ...Array.from({ length: 1_000 }, (_, index) => `line ${index} of a burst`)];

describe.skipIf(why)(`syslog from rsyslog${why ? ` (skipped: ${why})` : ''}`, () => {
  const running: (Rsyslog | Source)[] = [];
  afterEach(async () => {
    for (const part of running.splice(0).reverse()) await part.stop();
  });

  /** Starts the source and resolves with its port, and later with the first `count` events. */
  async function receive(protocol: 'udp' | 'tcp', count: number) {
    const source = syslogSource({ [protocol]: loopback, wall: realWall, platforms: new Map([['127.0.0.1', 'frr']]) });
    const events: Event[] = [];
    const gaps: string[] = [];
    const all = new Promise<readonly Event[]>((resolve) => {
      const offer = (offered: readonly Event[], committed?: () => void) => {
        events.push(...offered);
        committed?.();
        if (events.length >= count) resolve(events);
        return true;
      };
      running.push(source);
      void source.start({ offer, gap: (reason) => gaps.push(reason) }).then(() => listening.resolve());
    });
    const listening = Promise.withResolvers<void>();
    await listening.promise;
    const port = Number(/:(\d+)$/.exec(source.stats().listening[0]!)![1]);
    return { port, all, gaps, source };
  }

  for (const way of ways) {
    const name = [way.protocol.toUpperCase(), way.framing, way.format].filter(Boolean).join(', ');
    test(`arrives whole and in order over ${name}`, async () => {
      const { port, all, gaps, source } = await receive(way.protocol, lines.length);
      const rsyslog = await startRsyslog({ ...way, port });
      running.push(rsyslog);
      await rsyslog.log(lines);
      const events = await all;
      // FRR's unique id is no part of the text.
      const texts = lines.map((line) => line.replace(/^\[SN55S-ESQ86\] /, ''));
      expect(events.map(({ syslog }) => syslog?.text)).toEqual(texts);
      for (const { syslog, origin } of events) {
        expect(syslog).toMatchObject({ pri: 30, facility: 3, severity: 6, host: hostname().split('.')[0], app: 'vrrpd' });
        expect(origin).toMatchObject({ source: 'syslog', peer: '127.0.0.1', transport: way.protocol, trust: 'claimed' });
        expect(origin.deviceTime).toMatch(way.format === 'RFC 5424' ? /^\d{4}-\d\d-\d\dT/ : /^[A-Z][a-z]{2} [ \d]\d /);
      }
      expect(events[0]!.meaning).toEqual({ kind: 'vrrp.state-changed', group: 1, family: 'ipv4', from: 'backup', to: 'master' });
      expect(events.slice(1).every(({ meaning }) => meaning === null)).toBe(true);
      expect(gaps).toEqual([]);
      expect(Object.values(source.stats().dropped).every((count) => count === 0)).toBe(true);
    });
  }
});
