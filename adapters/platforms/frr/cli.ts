// Owns: how FRR's vtysh looks. It starts privileged, and pages only where VTYSH_PAGER or `terminal paginate` say so.
import type { CliDialect } from '../../../src/ports/platform.ts';

export const frrDialect: CliDialect = {
  prompt: /^(?<host>[A-Za-z0-9][\w.-]{0,63})(?:\((?<mode>[\w-]{1,64})\))?[#>] ?$/,
  passwordPrompt: /^\s*password:\s*$/i,
  preamble: ['terminal length 0', 'no terminal paginate'],
  enable: 'enable',
  configure: 'configure terminal',
  leaveConfigure: 'end',
  // The mark is `(END)` for less, which q leaves; for more it is --More--, of which a space shows the next screen and
  // which q would cut short. [weak: seen once]
  pager: { pattern: /^\s*--More--(?:\s*\(\d+%\))?\s*$/, key: ' ' },
  failures: [
    /^% (?:Unknown|Ambiguous|Command incomplete|Malformed|Invalid|Configuration failed|Can't find|Could not find|Failed|Error)/i,
    /^BGP is already running; AS is /,
    /^(?:Can't find|Failed to|Error) /,
  ],
};
