// A NETCONF client as small as a test can do with: hello, chunks, one rpc after the other.
import type { ClientChannel } from 'ssh2';
import { connect, type Heard, hear, type SshPeer, type TestLab } from './helpers.ts';

export interface NetconfClient extends SshPeer {
  readonly channel: ClientChannel;
  readonly heard: Heard;
  readonly sessionId: string;
  /** The inner XML of the reply. */
  rpc(operation: string): Promise<string>;
}

export async function openNetconf(test: TestLab, port = 8830, device: 'gw-b' | 'acc-2' = 'gw-b'): Promise<NetconfClient> {
  const peer = await connect(test, device, port);
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    peer.client.subsys('netconf', (error, stream) => (error ? reject(error) : resolve(stream))),
  );
  const heard = hear(channel);
  const hello = await heard.until(/\]\]>\]\]>/);
  channel.write(
    '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:ietf:params:netconf:base:1.1</capability></capabilities></hello>]]>]]>',
  );
  let messageId = 0;
  return {
    ...peer,
    channel,
    heard,
    sessionId: /<session-id>(\d+)</.exec(hello)?.[1] ?? '',
    async rpc(operation) {
      messageId += 1;
      const message = `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="${messageId}">${operation}</rpc>`;
      channel.write(`\n#${Buffer.byteLength(message)}\n${message}\n##\n`);
      const reply = await heard.until(/\n##\n/);
      const inner = /<rpc-reply[^>]*message-id="(\d+)"[^>]*>([\s\S]*)<\/rpc-reply>/.exec(reply);
      if (inner?.[1] !== String(messageId)) throw new Error(`no reply to ${messageId}: ${reply}`);
      return inner[2]!;
    },
  };
}

export const noMask = '<no-mask><number>23.0.0.0</number></no-mask>';
export const withMask = '<with-mask><number>23.0.0.0</number><mask>255.0.0.0</mask></with-mask>';

/** edit-config of the candidate with what goes inside `<network>`. */
export function edit(networks: string, as = 65003): string {
  return `<edit-config><target><candidate/></target><config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native"><router><bgp xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-bgp"><id>${as}</id><address-family><no-vrf><ipv4><af-name>unicast</af-name><ipv4-unicast><network>${networks}</network></ipv4-unicast></ipv4></no-vrf></address-family></bgp></router></native></config></edit-config>`;
}
export const removed = (network: string, operation: 'remove' | 'delete' | 'create') =>
  network.replace('>', ` nc:operation="${operation}">`);
export const commit = '<commit/>';
