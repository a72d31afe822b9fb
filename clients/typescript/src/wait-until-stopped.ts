import { answered, errorOf, type RequestOptions } from './api.ts';
import { MusterError } from './muster-error.ts';
import { retryAfterMs } from './retry-after.ts';
import { sleep } from './sleep.ts';
import type { Import } from './types.ts';

export interface WaitOptions<Progress> extends RequestOptions {
  /** Receives every change, including the last one. */
  onProgress?: (progress: Progress) => void;
  /** Gives up after this time with a MusterError `wait_timeout`. The work continues. By default, the wait has no end. */
  timeoutMs?: number;
  /** The time between two requests. By default, the API says when it is worth asking again. */
  pollMs?: number;
}

type Stoppable = Pick<Import, 'status' | 'percent'>;
type Asking = { signal: AbortSignal; headers?: { 'If-None-Match': string } };
type Read<Progress> = (init: Asking) => Promise<{ data?: Progress; error?: unknown; response: Response }>;

const STOPPED = ['completed', 'cancelled', 'failed', 'paused'] as const satisfies readonly Import['status'][];
const POLL_MS = 2_000;

const hasStopped = ({ status }: Stoppable) => STOPPED.some((one) => one === status);

/**
 * Waits until something has ended, or is paused and makes no progress by itself. `status` of the result says which. No
 * change costs an empty answer (304).
 *
 * @param what names it in the message of the error: `import imp_…`
 */
export async function waitUntilStopped<Progress extends Stoppable>(
  what: string,
  read: Read<Progress>,
  { onProgress, timeoutMs, pollMs, signal }: WaitOptions<Progress> = {},
): Promise<Progress> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([signal, timeout].filter((one) => one !== undefined));
  let latest: Progress | undefined;
  let tag: string | null = null;
  let waitMs = pollMs ?? POLL_MS;
  try {
    for (;;) {
      const init: Asking = { signal: stop, ...(tag !== null && { headers: { 'If-None-Match': tag } }) };
      const { data, error, response } = await answered(read(init));
      if (data) {
        latest = data;
        tag = response.headers.get('etag');
        onProgress?.(latest);
        if (hasStopped(latest)) return latest;
      } else if (response.status !== 304) {
        throw errorOf(error, response);
      }
      waitMs = pollMs ?? retryAfterMs(response.headers) ?? waitMs;
      await sleep(waitMs, stop);
    }
  } catch (error) {
    if (timeout?.aborted && error === timeout.reason) throw timedOut(what, timeoutMs, latest);
    throw error;
  }
}

function timedOut(what: string, timeoutMs: number | undefined, latest: Stoppable | undefined): MusterError {
  const state = latest ? `is ${latest.status} (${latest.percent} %)` : 'is unknown';
  return new MusterError(`After ${timeoutMs} ms, the state of ${what} ${state}.`, { code: 'wait_timeout' });
}
