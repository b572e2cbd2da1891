// Owns: how an IOS and IOS-XE command line looks.
import type { CliDialect } from '../../../src/ports/platform.ts';

export const iosDialect: CliDialect = {
  prompt: /^(?<host>[A-Za-z0-9][\w.-]{0,63})(?:\((?<mode>[\w./:-]{1,64})\))?[#>] ?$/,
  passwordPrompt: /^\s*password:\s*$/i,
  preamble: ['terminal length 0', 'terminal width 511'],
  enable: 'enable',
  configure: 'configure terminal',
  leaveConfigure: 'end',
  pager: { pattern: /^\s*--\s?More\s?--\s*$/i, key: ' ' },
  // What a show command has to say of an absent thing (`% Network not in table`) also starts with %: only refusals here.
  failures: [
    /^\s*% ?(?:Invalid|Incomplete|Ambiguous|Unknown|Unrecognized|Bad|Error|Access denied|Permission denied)\b/i,
    /^\s*% ?(?:Cannot|Can't|Specify|BGP: |Prefix|Network|Configuration) [^\n]*(?:not allowed|not permitted|denied|locked|failed|invalid)/i,
    /^\s*(?:% ?)?(?:Command )?authorization failed/i,
    /^\s*BGP is already running; AS is /i,
    /^\s*Command rejected/i,
    /^\s*(?:% ?)?policy[ -]map \S+ (?:is already attached|(?:is )?not configured|does not exist)/i,
    /^\s*Found duplicate mac-address/i,
  ],
};
