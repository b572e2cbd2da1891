import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { compressor } from '../../adapters/journal-sqlite/compressor.ts';
import { fast } from '../../adapters/journal-sqlite/rows.ts';

it.each([
  ['an output', fast.chunkSize],
  ['many outputs of a row', 1024],
])('makes a frame of its own of each body, with %s', async (_, chunkSize) => {
  const compress = compressor({ ...fast, chunkSize });
  const bodies = [1, 40_000, 3, 4 * 2 ** 20, 70_000].flatMap((bytes) => [
    randomBytes(bytes),
    Buffer.alloc(bytes, '{"kind":"tick"},'),
  ]);
  const frames: Uint8Array[] = [];
  for (const body of bodies) frames.push(await compress(body));
  // What was given before is not written over.
  expect(frames.map((frame, index) => bodies[index]!.equals(zstdDecompressSync(frame)))).toEqual(bodies.map(() => true));
});

it('gives nothing that is no frame once the stream has failed', async () => {
  const compress = compressor({ ...fast, pledgedSrcSize: 10 });
  const body = Buffer.alloc(40_000, 'x');
  await expect(compress(body)).rejects.toThrow();
  await expect(compress(body)).rejects.toThrow();
});
