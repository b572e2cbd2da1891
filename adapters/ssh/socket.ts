// Owns: the TCP socket under an SSH connection: what is written in one turn goes out as one piece. The SSH library writes a packet in
// four (its length, its body, its tag), which without Nagle are as many segments and wake the other side as often.
import { Socket } from 'node:net';

export class SshSocket extends Socket {
  #gathers = false;

  constructor() {
    super();
    this.setMaxListeners(0);
    // Nagle and delayed acknowledgements cost 40 to 80 ms a round trip, at login and a command.
    this.setNoDelay(true);
  }

  override write(bytes: Uint8Array | string, ...rest: never[]): boolean {
    this.#gather();
    return super.write(bytes, ...rest);
  }

  #gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.cork();
    process.nextTick(() => {
      this.#gathers = false;
      this.uncork();
    });
  }
}
