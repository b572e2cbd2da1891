// Owns: rpc-error (RFC 6241 section 4.3 and appendix A): what a server says no with.
import { escapeXml } from './xml.ts';

export interface RpcErrorFields {
  readonly type: 'transport' | 'rpc' | 'protocol' | 'application';
  readonly tag:
    | 'in-use'
    | 'invalid-value'
    | 'missing-attribute'
    | 'missing-element'
    | 'bad-element'
    | 'unknown-element'
    | 'unknown-namespace'
    | 'lock-denied'
    | 'data-exists'
    | 'data-missing'
    | 'operation-not-supported'
    | 'operation-failed'
    | 'malformed-message';
  readonly message: string;
  readonly path?: string;
  /** The inner XML of error-info. */
  readonly info?: string;
}

/** Thrown where an rpc is refused; answered with rpc-error. Never leaves lab/model/netconf. */
export class Refusal extends Error {
  readonly fields: RpcErrorFields;

  constructor(fields: RpcErrorFields) {
    super(fields.message);
    this.fields = fields;
  }
}

export function rpcErrorXml({ type, tag, message, path, info }: RpcErrorFields): string {
  return [
    `<rpc-error><error-type>${type}</error-type><error-tag>${tag}</error-tag><error-severity>error</error-severity>`,
    path === undefined ? '' : `<error-path>${escapeXml(path)}</error-path>`,
    `<error-message xml:lang="en">${escapeXml(message)}</error-message>`,
    info === undefined ? '' : `<error-info>${info}</error-info>`,
    '</rpc-error>',
  ].join('');
}
