// Owns: the commands of a router: those of every device, HSRP, BGP and routes.
import { showAdvertised, showBgp, showBgpPrefix, showBgpSummary, showRoute } from '../show/show-bgp.ts';
import type { RouterContext } from '../show/show-context.ts';
import { showStandby, showStandbyBrief } from '../show/show-standby.ts';
import { bind, type Commands, type ExecCommand, show } from './commands.ts';
import { commonPrivilegedCommands, commonUserCommands } from './common-exec.ts';
import { configMode } from './config-commands.ts';

const userCommands: readonly ExecCommand<RouterContext>[] = [
  ...commonUserCommands,
  show('standby', showStandby),
  show('standby brief', showStandbyBrief),
  show('ip bgp', showBgp),
  show('ip bgp summary', showBgpSummary),
  show('ip bgp <address>', (context, [address]) => showBgpPrefix(context, address!, undefined)),
  show('ip bgp <address> <mask>', (context, [address, mask]) => showBgpPrefix(context, address!, mask)),
  show('ip bgp neighbors <address> advertised-routes', (context, [neighbor]) => showAdvertised(context, neighbor!)),
  show('ip route <address>', (context, [address]) => showRoute(context, address!)),
];

export function routerCommands(context: RouterContext): Commands {
  return {
    kind: 'router',
    user: bind(userCommands, context),
    privileged: bind([...userCommands, ...commonPrivilegedCommands], context),
    configMode,
  };
}
