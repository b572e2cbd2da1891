// Owns: giving back memory that nobody reads any more. V8 does it when it collects, and a thread that makes few objects collects once
// in minutes: until then what it was handed waits on, and malloc grows around it.

/** Frees what `bytes` lie in where they are all that lies there; they are empty from then on. Whoever frees has been the last to read. */
export function free(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
