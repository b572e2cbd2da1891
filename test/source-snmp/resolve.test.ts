// Interface names for ifIndex, from an agent on a real socket that answers when the test lets it.
import { createSocket } from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Message } from '../../adapters/snmp/net-snmp.ts';
import type { Agent } from '../../adapters/source-snmp/index.ts';
import { inbox, startSource, udpSender, v2c, writtenPdu } from './kit.ts';

const ifName = '1.3.6.1.2.1.31.1.1.1.1';

async function agentSocket() {
  const socket = createSocket('udp4');
  const questions = inbox<{
    readonly id: number;
    /** Where it was asked from. */
    readonly port: number;
    readonly oid: string;
    answer(name: string, change?: { id?: number; oid?: string }): void;
  }>();
  socket.on('message', (bytes, { port }) => {
    const { community, pdu } = Message.createFromBuffer(bytes);
    expect(community).toBe('read-only');
    const oid = pdu!.varbinds[0]!.oid;
    const { id } = pdu!;
    questions.put({
      id,
      port,
      oid,
      answer(name, change = {}) {
        const response = writtenPdu(0xa2, change.id ?? id, [[change.oid ?? oid, 'OctetString', name]]);
        socket.send(Message.createCommunity(1, 'read-only', response).toBuffer(), port, '127.0.0.1');
      },
    });
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void socket.close());
  const agent: Agent = { name: 'edge1', address: '127.0.0.1', port: socket.address().port, community: 'read-only' };
  return { questions, agent };
}

async function started() {
  const { questions, agent } = await agentSocket();
  const running = await startSource({ agentOf: () => agent });
  return { questions, agentPort: agent.port, ...running, ...(await udpSender(running.port)) };
}

const hsrpOn = (ifIndex: number, uptime: number) =>
  v2c({ uptime, varbinds: [[`1.3.6.1.4.1.9.9.106.1.2.1.1.15.${ifIndex}.1`, 'Integer', 6]] });

describe('an event that names its interface by ifIndex', () => {
  test('waits for the name, which is asked for once and then known', async () => {
    const { questions, offered, send } = await started();
    send(hsrpOn(3, 5_000));
    send(hsrpOn(3, 5_001));
    const question = await questions.next();
    expect(question.oid).toBe(`${ifName}.3`);
    question.answer('Vl20');
    const first = await offered.next();
    expect(first.event.meaning).toEqual({ kind: 'hsrp.state-changed', interface: 'Vlan20', group: 1, to: 'active' });
    expect((await offered.next()).event.meaning).toEqual(first.event.meaning);
    send(hsrpOn(3, 5_002));
    expect((await offered.next()).event.meaning).toEqual(first.event.meaning);
    expect(questions.items).toHaveLength(1);
  });

  test('goes on with its ifIndex when nobody answers in time, and the agent is left alone for a while', async () => {
    const { questions, offered, send, wall, dealtWith } = await started();
    send(hsrpOn(3, 5_000));
    await questions.next();
    wall.advance(500);
    expect((await questions.next()).oid).toBe(`${ifName}.3`);
    wall.advance(500);
    const unresolved = { kind: 'hsrp.state-changed', ifIndex: 3, group: 1, to: 'active' };
    expect((await offered.next()).event.meaning).toEqual(unresolved);
    send(hsrpOn(4, 5_001));
    expect((await offered.next()).event.meaning).toMatchObject({ ifIndex: 4 });
    await dealtWith();
    expect(questions.items).toHaveLength(2);
    wall.advance(10_000);
    send(hsrpOn(4, 5_002));
    (await questions.next()).answer('Gi0/1');
    expect((await offered.next()).event.meaning).toMatchObject({ interface: 'GigabitEthernet0/1' });
  });

  test('goes on with its ifIndex where the agent has no such interface', async () => {
    const { questions, offered, send } = await started();
    send(hsrpOn(3, 5_000));
    (await questions.next()).answer('');
    expect((await offered.next()).event.meaning).toMatchObject({ ifIndex: 3 });
  });

  test('keeps its place before those that came later', async () => {
    const { questions, offered, send } = await started();
    send(hsrpOn(3, 5_000));
    send(hsrpOn(4, 5_001));
    send(v2c({ uptime: 5_002, trap: '1.3.6.1.6.3.1.1.5.5', varbinds: [] }));
    const [third, fourth] = [await questions.next(), await questions.next()];
    fourth.answer('Vl24');
    third.answer('Vl23');
    const events = [await offered.next(), await offered.next(), await offered.next()].map(({ event }) => event);
    expect(events.map(({ snmp }) => snmp?.uptime)).toEqual([5_000, 5_001, 5_002]);
    expect(events[1]?.meaning).toMatchObject({ interface: 'Vlan24' });
  });

  test('does not believe an answer from another port or address', async () => {
    const { questions, offered, send, wall, agentPort } = await started();
    send(hsrpOn(3, 5_000));
    const { id, oid, port } = await questions.next();
    const forged = Message.createCommunity(1, 'read-only', writtenPdu(0xa2, id, [[oid, 'OctetString', 'Vl99']])).toBuffer();
    for (const address of ['127.0.0.1', '127.0.0.2']) {
      const forger = createSocket('udp4');
      await new Promise<void>((resolve) => forger.bind(address === '127.0.0.1' ? 0 : agentPort, address, () => resolve()));
      await new Promise<void>((resolve) => forger.send(forged, port, '127.0.0.1', () => resolve()));
      forger.close();
    }
    wall.advance(500);
    (await questions.next()).answer('Vl20');
    expect((await offered.next()).event.meaning).toMatchObject({ interface: 'Vlan20' });
  });

  test('does not believe an answer to another question, nor of another interface', async () => {
    const { questions, offered, send, wall } = await started();
    send(hsrpOn(3, 5_000));
    const question = await questions.next();
    question.answer('Vl99', { id: question.id + 1 });
    wall.advance(500);
    (await questions.next()).answer('Vl99', { oid: `${ifName}.4` });
    expect((await offered.next()).event.meaning).toMatchObject({ ifIndex: 3 });
  });

  test('asks anew once the agent started anew', async () => {
    const { questions, offered, send, gaps } = await started();
    send(hsrpOn(3, 90_000));
    (await questions.next()).answer('Vl20');
    await offered.next();
    send(hsrpOn(3, 400));
    (await questions.next()).answer('Vl30');
    expect((await offered.next()).event.meaning).toMatchObject({ interface: 'Vlan30' });
    expect(gaps).toHaveLength(1);
  });

  test('is let go with its ifIndex when the source stops', async () => {
    const { questions, offered, send, source } = await started();
    send(hsrpOn(3, 5_000));
    await questions.next();
    await source.stop();
    expect((await offered.next()).event.meaning).toMatchObject({ ifIndex: 3 });
    expect(offered.items).toHaveLength(1);
  });
});
