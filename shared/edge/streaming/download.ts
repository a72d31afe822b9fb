import { ReadableStream } from 'node:stream/web';
import type { Actor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import { lineOf } from '../admission/serve-in-turn.ts';
import type { Answer } from '../answers/answer.ts';
import type { Outlet } from './outlets.ts';
import type { Places } from './places.ts';
import { type TrackStreamDeps, trackStream } from './track-stream.ts';

export interface DownloadDeps extends TrackStreamDeps {
  downloadPlaces: Places;
}

/** How long a client may take nothing. */
const STALLED_AFTER_MS = 60_000;
/** How long one download may take. Well below `functionTimeout`: the host restarts the process of a run that exceeds it. */
const DOWNLOAD_MAX_MS = 480_000;

/**
 * Serves an answer that may be long, at the pace of its client. Each customer has a few places for downloads and keeps
 * one until its download ends, so a slow download takes nothing from the customer's other requests.
 *
 * A download that fails midway breaks the connection, so that no client takes what it has received for the whole.
 *
 * @param serve answers with `stream`, or without it if there is nothing to download
 * @throws DomainError `rate_limited` if all places of the caller are taken
 */
export async function serveDownload(
  deps: DownloadDeps,
  caller: Actor,
  invocation: { invocationId: string; functionName: string },
  serve: () => Promise<Answer>,
): Promise<Answer> {
  const leave = deps.downloadPlaces.take(lineOf(caller));
  if (!leave) throw noPlace();
  let answer: Answer | undefined;
  try {
    answer = await serve();
  } finally {
    if (!answer?.stream) leave();
  }
  if (!answer.stream) return answer;
  const { outlet, ended } = trackStream<DownloadEnd>(deps, { caller, ...invocation }, 'download_ended', leave);
  return {
    ...answer,
    stream: ReadableStream.from(atPaceOf(outlet, answer.stream as AsyncIterable<Uint8Array>, ended)),
  };
}

interface DownloadEnd {
  /** `left`: the client closed the connection. `slow`: we closed it, because the client took too little. */
  how: 'complete' | 'left' | 'slow' | 'failed';
  bytes: number;
  error?: unknown;
}

/** Passes the chunks on as the connection takes them. Stops reading the source when nobody wants more of it. */
export async function* atPaceOf(
  outlet: Outlet | undefined,
  source: AsyncIterable<Uint8Array>,
  ended: (end: DownloadEnd) => void,
  { stalledAfterMs, maxMs } = { stalledAfterMs: STALLED_AFTER_MS, maxMs: DOWNLOAD_MAX_MS },
): AsyncGenerator<Uint8Array> {
  const endsAt = performance.now() + maxMs;
  const end: DownloadEnd = { how: 'left', bytes: 0 };
  try {
    for await (const chunk of source) {
      const leftMs = endsAt - performance.now();
      const state = leftMs <= 0 ? 'stalled' : await outlet?.untilReady(Math.min(stalledAfterMs, leftMs));
      if (state === 'stalled') {
        end.how = 'slow';
        outlet?.break();
      }
      if (state === 'stalled' || state === 'gone') return;
      yield chunk;
      end.bytes += chunk.byteLength;
    }
    end.how = 'complete';
  } catch (error) {
    Object.assign(end, { how: 'failed', error });
    // The host may not hear of it otherwise: the library leaves the response open.
    outlet?.break();
    throw error;
  } finally {
    ended(end);
  }
}

function noPlace(): DomainError {
  return new DomainError(
    'rate_limited',
    'You are downloading several reports already. Start the next download when one of them is complete.',
    { retryAfterSeconds: 5, context: { policy: 'downloads' } },
  );
}
