import type { z } from 'zod';

/** How long a message of another version is kept for a worker that knows it. Longer than any deployment takes. */
const KEPT_MS = 24 * 60 * 60_000;
/** How long it stays hidden each time. */
export const OTHER_VERSION_DELAY_MS = 30_000;

/**
 * A message that this worker does not know, because another version of Muster wrote it: during a deployment, or after a
 * roll back. `undefined` for any other message, and for one that nobody has known for a day.
 *
 * @returns the message, to be sent again
 */
export function ofOtherVersion(entry: unknown, error: z.ZodError, now: Date): Record<string, unknown> | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const message = entry as Record<string, unknown>;
  const isOther = Number.isInteger(message.v) && error.issues.some(({ path }) => path.length === 1 && path[0] === 'v');
  if (!isOther) return undefined;
  const since = new Date(String(message.unknownSince ?? now.toISOString()));
  // A text that is no instant is not one of ours.
  if (!(now.getTime() - since.getTime() < KEPT_MS)) return undefined;
  return { ...message, unknownSince: since.toISOString() };
}
