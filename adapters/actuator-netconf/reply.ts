// Owns: what NETCONF messages say: hello, rpc-reply, rpc-error, and the inner XML a caller asked for. Sans I/O.
import { TargetError } from '../../src/model/errors.ts';
import { all, parseXml, textOf, type XmlElement } from '../platforms/cisco-iosxe/xml.ts';

export interface Hello {
  readonly sessionId: string;
  readonly capabilities: ReadonlySet<string>;
}

export const base10 = 'urn:ietf:params:netconf:base:1.0';
export const base11 = 'urn:ietf:params:netconf:base:1.1';

export type Message =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | {
      readonly kind: 'reply';
      readonly messageId: string | undefined;
      readonly errors: readonly RpcError[];
      readonly inner: string;
    }
  /** Event notifications (RFC 5277) and whatever else is not for us. */
  | { readonly kind: 'other'; readonly name: string };

export interface RpcError {
  readonly type: string;
  readonly tag: string;
  readonly appTag: string | undefined;
  readonly path: string | undefined;
  readonly message: string | undefined;
  /** In `lock-denied`: who holds it, 0 for one outside NETCONF. */
  readonly sessionId: string | undefined;
}

/** Reads one message. Throws TargetError where it is no XML. */
export function readMessage(xml: string): Message {
  const root = parseXml(xml)[0];
  if (root?.name === 'hello') return { kind: 'hello', hello: helloOf(root) };
  if (root?.name !== 'rpc-reply') return { kind: 'other', name: root?.name ?? 'nothing' };
  const errors = all([root], 'rpc-reply', 'rpc-error').filter((error) => textOf(error.children, 'error-severity') !== 'warning');
  const whole = innerXml(xml);
  // Only <data> around the answer is the protocol's, warnings before it or not; anything else is the operation's own.
  const answers = root.children.filter(({ name }) => name !== 'rpc-error');
  const onlyData = answers.length === 1 && answers[0]!.name === 'data';
  return {
    kind: 'reply',
    messageId: root.attributes['message-id'],
    errors: errors.map(rpcError),
    inner: onlyData ? innerXml(afterWarnings(whole)) : whole,
  };
}

/** Warnings stand before the answer (RFC 6241 appendix B, rpcReplyType). */
function afterWarnings(whole: string): string {
  let rest = whole;
  for (;;) {
    const tag = /^<((?:[\w.-]+:)?rpc-error)[\s>]/.exec(rest)?.[1];
    if (tag === undefined) return rest;
    rest = rest.slice(rest.indexOf('>', rest.indexOf(`</${tag}`)) + 1).trimStart();
  }
}

function helloOf(root: XmlElement): Hello {
  return {
    sessionId: textOf(root.children, 'session-id') ?? '',
    capabilities: new Set(all(root.children, 'capabilities', 'capability').map(({ text }) => text)),
  };
}

function rpcError({ children }: XmlElement): RpcError {
  return {
    type: textOf(children, 'error-type') ?? 'unknown',
    tag: textOf(children, 'error-tag') ?? 'unknown',
    appTag: textOf(children, 'error-app-tag'),
    path: textOf(children, 'error-path'),
    message: textOf(children, 'error-message'),
    sessionId: textOf(children, 'error-info', 'session-id'),
  };
}

/** The text between the first element's tags, as sent. The XML is known to be well-formed. */
export function innerXml(xml: string): string {
  const start = firstTag(xml);
  const end = tagEnd(xml, start);
  if (xml[end - 1] === '/') return '';
  return xml.slice(end + 1, xml.lastIndexOf('</')).trim();
}

/** Past declaration, processing instructions and comments. */
function firstTag(xml: string): number {
  let at = xml.indexOf('<');
  while (xml.startsWith('<?', at) || xml.startsWith('<!--', at)) {
    const close = xml.startsWith('<?', at) ? '?>' : '-->';
    at = xml.indexOf('<', xml.indexOf(close, at) + close.length);
  }
  return at;
}

/** Its `>`; one within quotes belongs to an attribute's value. */
function tagEnd(xml: string, start: number): number {
  let quote = '';
  for (let at = start; at < xml.length; at++) {
    const character = xml[at]!;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
  }
  return xml.length;
}

const remedies: Readonly<Record<string, string>> = {
  'lock-denied': 'It was tried for some seconds; see who holds the lock (or `kill-session`).',
  'access-denied': 'Give the user the right to do this (NACM, privilege level 15).',
  'unknown-namespace': 'Check the platform of the target and its software version: this data model is not there.',
  'unknown-element': 'Check the platform of the target and its software version: this data model is another.',
  'in-use': 'See who is configuring.',
};

/** Tags that callers tell apart. */
const ownCodes: ReadonlySet<string> = new Set(['lock-denied', 'resource-denied']);

/** The first error, with all it says, and how many more there are. */
export function rpcFault(place: string, during: string, errors: readonly RpcError[]): TargetError {
  const [first] = errors as readonly [RpcError];
  const details = [
    first.message?.replace(/\s+/g, ' ').slice(0, 400),
    `(${first.type} ${first.tag}${first.appTag ? `, ${first.appTag}` : ''})`,
    first.path && `at ${first.path.slice(0, 300)}`,
    first.sessionId !== undefined &&
      `held by ${first.sessionId === '0' ? 'a user outside NETCONF' : `session ${first.sessionId}`}`,
    errors.length > 1 && `and ${errors.length - 1} more`,
  ];
  return new TargetError(`${place} refused ${during}: ${details.filter(Boolean).join(' ')}`, {
    code: ownCodes.has(first.tag) ? first.tag : 'rpc-error',
    retry: false,
    remedy: remedies[first.tag] ?? 'Check the platform of the target and what it has configured now.',
  });
}
