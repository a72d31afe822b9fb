import { type Api, answered, errorOf, type RequestOptions } from './api.ts';
import { MusterError } from './muster-error.ts';
import { retryAfterMs } from './retry-after.ts';
import { sleep } from './sleep.ts';
import type { Import } from './types.ts';

export interface WaitForImportOptions extends RequestOptions {
  /** Receives every change of the import, including the last one. */
  onProgress?: (progress: Import) => void;
  /** Gives up after this time with a MusterError `wait_timeout`. The import continues. By default, the wait has no end. */
  timeoutMs?: number;
  /** The time between two requests. By default, the API says when it is worth asking again. */
  pollMs?: number;
}

const STOPPED = ['completed', 'cancelled', 'failed', 'paused'] as const satisfies readonly Import['status'][];
const POLL_MS = 2_000;

const hasStopped = ({ status }: Import) => STOPPED.some((one) => one === status);

/**
 * Waits until an import has ended, or is paused and makes no progress by itself. `status` of the result says which.
 * An unchanged import costs an empty answer (304).
 */
export async function waitForImport(
  { raw }: Api,
  importId: string,
  { onProgress, timeoutMs, pollMs, signal }: WaitForImportOptions = {},
): Promise<Import> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([signal, timeout].filter((one) => one !== undefined));
  const read = (tag: string | null) =>
    answered(
      raw.GET('/v1/imports/{importId}', {
        params: { path: { importId } },
        signal: stop,
        ...(tag !== null && { headers: { 'If-None-Match': tag } }),
      }),
    );
  let latest: Import | undefined;
  let tag: string | null = null;
  let waitMs = pollMs ?? POLL_MS;
  try {
    for (;;) {
      const { data, error, response } = await read(tag);
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
    if (timeout?.aborted && error === timeout.reason) throw timedOut(importId, timeoutMs, latest);
    throw error;
  }
}

function timedOut(importId: string, timeoutMs: number | undefined, latest: Import | undefined): MusterError {
  const state = latest ? `is ${latest.status} (${latest.percent} %)` : 'is unknown';
  return new MusterError(`After ${timeoutMs} ms, the state of import ${importId} ${state}.`, { code: 'wait_timeout' });
}
