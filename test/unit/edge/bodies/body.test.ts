import { ReadableStream } from 'node:stream/web';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { readJson } from '../../../../shared/edge/bodies/body.ts';

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

it('gives up on a body that arrives too slowly', async () => {
  async function* drip() {
    for (;;) {
      yield Buffer.from(' ');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  const request = { headers: new Headers(), body: ReadableStream.from(drip()) };
  await expect(readJson(request, 1_048_576, 50)).rejects.toMatchObject({ code: 'malformed_request' });
});

it('gives up on a body that never continues', async () => {
  async function* stall() {
    yield Buffer.from('{');
    await new Promise(() => undefined);
  }
  const request = { headers: new Headers(), body: ReadableStream.from(stall()) };
  await expect(readJson(request, 1_048_576, 50)).rejects.toMatchObject({ code: 'malformed_request' });
});
