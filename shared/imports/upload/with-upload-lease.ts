import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { UploadLease, UploadLeaseStore } from './upload-lease-store.ts';

export interface UploadLeaseDeps {
  uploadLeases: UploadLeaseStore;
  /** After this time without a renewal, the upload counts as dead. */
  uploadLeaseMs: number;
  clock: Clock;
}

const RETRY_AFTER_SECONDS = 2;

/**
 * Receives an upload while no other one of the same connection is running, in this process or any other.
 *
 * The lease is renewed for as long as `receive` runs, so a slow upload keeps it. It is released as soon as `receive`
 * settles. If the process dies, it ends by itself. An upload that has lost its lease, because this process could not
 * renew it in time, is refused at its next bytes.
 *
 * @throws DomainError `upload_in_progress`
 */
export async function withUploadLease<T>(
  deps: UploadLeaseDeps,
  connection: { customerId: string; id: string },
  body: AsyncIterable<Uint8Array>,
  receive: (body: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const { uploadLeases, uploadLeaseMs, clock } = deps;
  const holder = randomUUID();
  const lease = (): UploadLease => ({
    customerId: connection.customerId,
    connectionId: connection.id,
    holder,
    until: new Date(clock.now().getTime() + uploadLeaseMs),
  });
  let tag = await uploadLeases.take(lease(), clock.now());
  if (tag === undefined) throw uploadInProgress();

  let renewal: Promise<void> | undefined;
  async function renew(held: string): Promise<void> {
    try {
      tag = await uploadLeases.renew(lease(), held);
    } catch {
      // The lease has not ended yet, and the next renewal may succeed.
    }
  }
  const timer = setInterval(() => {
    if (tag === undefined || renewal) return;
    renewal = renew(tag).finally(() => {
      renewal = undefined;
    });
  }, uploadLeaseMs / 3);

  async function* whileHeld(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      if (tag === undefined) throw uploadInProgress();
      yield chunk;
    }
  }
  try {
    return await receive(whileHeld());
  } finally {
    clearInterval(timer);
    await renewal;
    // If this fails, the lease ends by itself.
    if (tag !== undefined) await uploadLeases.release(lease(), tag).catch(() => undefined);
  }
}

function uploadInProgress(): DomainError {
  return new DomainError(
    'upload_in_progress',
    'Another upload to this connection is still running. Wait until it ends, then send this one again.',
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}
