import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

/** Below this average, Kestrel gives a body up, but not in the first seconds. */
const BYTES_PER_SECOND_MIN = 240;
const GRACE_MS = 5_000;
/** The load balancer gives up after this time without a byte. */
const SILENCE_MAX_MS = 230_000;
const LOOK_EVERY_MS = 1_000;

/** Why a body did not arrive: the client has disconnected, or sends too slowly. */
export class BodyError extends Error {
  override name = 'BodyError';
  readonly isSlow: boolean;

  constructor(isSlow: boolean, options?: ErrorOptions) {
    super(isSlow ? 'the body arrives too slowly' : 'the client has disconnected', options);
    this.isSlow = isSlow;
  }
}

/**
 * Reads a body as the real host does before it invokes a function: whole if there is a `Content-Length`, else not at all.
 * So only a chunked upload is streamed, and only with HTTP streaming; without it, the upload arrives empty.
 *
 * @throws BodyError
 */
export async function readWholeBody(req: Readable & Pick<IncomingMessage, 'headers'>): Promise<Buffer | undefined> {
  if (!(Number(req.headers['content-length'] ?? 0) > 0)) return undefined;
  const { promise: tooSlow, reject } = Promise.withResolvers<never>();
  const chunks: Buffer[] = [];
  let received = 0;
  let looks = 0;
  let lastAt = performance.now();
  const startedAt = lastAt;
  const timer = setInterval(() => {
    const now = performance.now();
    const elapsedMs = now - startedAt;
    const isSlow = elapsedMs > GRACE_MS && (received * 1000) / elapsedMs < BYTES_PER_SECOND_MIN;
    // After a pause of this process, the first look may come before what has arrived in the meantime.
    looks = isSlow || now - lastAt > SILENCE_MAX_MS ? looks + 1 : 0;
    if (looks > 1) reject(new BodyError(true));
  }, LOOK_EVERY_MS);
  req.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.length;
    lastAt = performance.now();
  });
  const arrived = new Promise<Buffer>((resolve, fail) => {
    req.once('end', () => resolve(Buffer.concat(chunks)));
    req.once('error', (cause) => fail(new BodyError(false, { cause })));
    req.once('close', () => fail(new BodyError(false)));
  });
  try {
    return await Promise.race([arrived, tooSlow]);
  } finally {
    clearInterval(timer);
  }
}
