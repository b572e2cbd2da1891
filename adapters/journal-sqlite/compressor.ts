// Owns: compressing the bodies of a flood, one after the other, with one stream of zlib's for all of them. Each zstdCompressSync makes a
// stream of its own, which nothing but a collection of all that is old takes away: hundreds a second are tens of megabytes until then.
import { constants, createZstdCompress } from 'node:zlib';

/** The Zstandard frame (RFC 8878) of each; whoever asks waits for its answer before it asks again. Once it has failed it fails always. */
export function compressor(
  options: Parameters<typeof createZstdCompress>[0],
): (body: Uint8Array) => Promise<Uint8Array<ArrayBuffer>> {
  const stream = createZstdCompress(options);
  let chunks: Buffer<ArrayBuffer>[] = [];
  let fail: (error: Error) => void = () => undefined;
  stream.on('data', (chunk: Buffer<ArrayBuffer>) => chunks.push(chunk));
  stream.on('error', (error) => fail(error));
  return (body) =>
    new Promise((resolve, reject) => {
      fail = reject;
      stream.write(body);
      // A flush is a write, and told as one: of a stream that has failed nothing comes, and that is not the frame.
      stream.flush(constants.ZSTD_e_end, (error?: Error | null) => {
        if (error) return reject(error);
        // What is buffered comes as data.
        while (stream.read() !== null);
        const [only] = chunks;
        resolve(only && chunks.length === 1 ? only : Buffer.concat(chunks));
        chunks = [];
      });
    });
}
