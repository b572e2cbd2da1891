// Owns: the lab as a process of its own, until a signal ends it.
import type { Wall } from '../src/ports/wall.ts';
import { type LabTimers, startLab } from './index.ts';
import { type DeviceName, gatewayNames, labPorts } from './model/addresses.ts';

export interface LabUpOptions {
  readonly dir: string;
  readonly wall: Wall;
  readonly net?: number;
  readonly timers?: Partial<LabTimers>;
  /** Ends it as a signal of the system does. */
  readonly signal?: AbortSignal;
}

/** Starts it, says on standard output where everything is, and resolves when SIGINT, SIGTERM or `signal` has ended it. */
export async function labUp({ dir, wall, net, timers, signal }: LabUpOptions): Promise<void> {
  const lab = await startLab({ dir, wall, ...(net === undefined ? {} : { net }), ...(timers ? { timers } : {}) });
  const line = (name: DeviceName, what: string) => `  ${name.padEnd(5)} ${lab.addresses[name]}  ${what}`;
  const ssh = `SSH ${labPorts.ssh}`;
  console.log(
    [
      `The lab is up; ${lab.inventoryPath} describes it.`,
      line(gatewayNames[0], `IOS, ${ssh}, SNMP ${labPorts.snmp}`),
      line(gatewayNames[1], `IOS-XE, ${ssh}, NETCONF ${labPorts.netconf}, SNMP ${labPorts.snmp}`),
      line('ext', `the external router, ${ssh}`),
      line('acc-1', `access switch, IOS, ${ssh}, SNMP ${labPorts.snmp}`),
      line('acc-2', `access switch, IOS-XE, ${ssh}, NETCONF ${labPorts.netconf}, SNMP ${labPorts.snmp}`),
      `  Syslog goes to ${lab.addresses.offbox} port ${labPorts.syslog}, traps to port ${labPorts.trap}. User offbox, password in ${dir}/password.`,
    ].join('\n'),
  );
  const ended = Promise.withResolvers<void>();
  const end = () => ended.resolve();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  await ended.promise;
  process.off('SIGINT', end);
  process.off('SIGTERM', end);
  await lab.stop();
}
