import { ReadableStream } from 'node:stream/web';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { readJson } from '../../../shared/edge/body.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

// If such bodies were kept in memory, a few concurrent requests would end the process.
it('releases a body that is too large while it is still arriving', async () => {
  let held = Number.NaN;
  async function* twentyMegabytes() {
    const chunks: WeakRef<Uint8Array>[] = [];
    for (let i = 0; i < 320; i++) {
      const chunk = new Uint8Array(65_536);
      chunks.push(new WeakRef(chunk));
      yield chunk;
    }
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    held = chunks.filter((chunk) => chunk.deref() !== undefined).length;
  }
  const request = { headers: new Headers(), body: ReadableStream.from(twentyMegabytes()) };
  await expect(readJson(request, 1_048_576)).rejects.toMatchObject({ code: 'payload_too_large' });
  expect(held).toBeLessThan(5);
});
