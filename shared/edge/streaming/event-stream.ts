import { ReadableStream } from 'node:stream/web';
import type { HttpResponseInit } from '@azure/functions';
import type { Actor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import { lineOf } from '../admission/serve-in-turn.ts';
import type { Outlet } from './outlets.ts';
import type { Places } from './places.ts';
import { type TrackStreamDeps, trackStream } from './track-stream.ts';

/** One event, as `text/event-stream` has it. A client that comes back sends the newest `id` as `Last-Event-ID`. */
export interface ServerEvent {
  event: string;
  id: string;
  data: unknown;
}

export interface EventStreamDeps extends TrackStreamDeps {
  eventPlaces: Places;
  /** Chosen anew for each stream. */
  eventTimes: () => EventStreamTimes;
}

export interface EventStreamTimes {
  /** A comment is sent if there was nothing else for this long, so that no proxy takes the connection for idle. */
  heartbeatMs: number;
  /** We end the answer after this time. The platform would break it after 230 seconds. */
  lastsMs: number;
  /** How long a client may take nothing. */
  stalledAfterMs: number;
  /** How often the API key is verified. Mostly that is answered from memory. */
  verifyMs: number;
}

/** How long a client waits before it comes back. */
const RETRY_MS = 2_000;
/** Some end earlier than others, so that clients that came together do not all come back together. */
const LASTS_MIN_MS = 195_000;
const LASTS_SPREAD_MS = 25_000;

export const newEventTimes = (): EventStreamTimes => ({
  heartbeatMs: 15_000,
  lastsMs: LASTS_MIN_MS + Math.random() * LASTS_SPREAD_MS,
  stalledAfterMs: 60_000,
  verifyMs: 1_000,
});

/**
 * Answers with server-sent events, at the pace of the client: the source is asked for more when the client has taken what
 * there was. A client that leaves or takes nothing ends the stream, and so does a key that is revoked or expires. Each
 * customer has some places for streams.
 *
 * @param open makes the source. Its signal is aborted when the stream ends
 * @param isStillValid whether the caller's API key still works
 * @throws DomainError `rate_limited` if all places of the caller are taken
 */
export function answerEvents(
  deps: EventStreamDeps,
  caller: Actor,
  invocation: { invocationId: string; functionName: string },
  open: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>,
  isStillValid: () => Promise<boolean>,
): HttpResponseInit {
  const leave = deps.eventPlaces.take(lineOf(caller));
  if (!leave) throw noPlace();
  const { outlet, ended } = trackStream<StreamEnd>(deps, { caller, ...invocation }, 'event_stream_ended', leave);
  return {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Asks proxies such as nginx not to collect what they should pass on.
      'x-accel-buffering': 'no',
    },
    body: ReadableStream.from(framesOf(outlet, open, ended, deps.eventTimes(), isStillValid)),
  };
}

interface StreamEnd {
  /**
   * `over`: its time was over. `left`: the client closed the connection. `slow`: we did, because it took too little.
   * `revoked`: its key no longer works.
   */
  how: 'complete' | 'over' | 'left' | 'slow' | 'revoked' | 'failed';
  events: number;
  error?: unknown;
}

/** The bytes of a stream: its events, and a heartbeat whenever there was nothing for a while. */
export async function* framesOf(
  outlet: Outlet | undefined,
  open: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>,
  ended: (end: StreamEnd) => void,
  { heartbeatMs, lastsMs, stalledAfterMs, verifyMs }: EventStreamTimes,
  isStillValid: () => Promise<boolean>,
): AsyncGenerator<Uint8Array> {
  const end: StreamEnd = { how: 'left', events: 0 };
  const endsAt = performance.now() + lastsMs;
  const stopping = new AbortController();
  outlet?.onClose(() => stopping.abort());
  const verifying = setInterval(async () => {
    if ((await isStillValid()) || stopping.signal.aborted) return;
    end.how = 'revoked';
    stopping.abort();
  }, verifyMs);
  const source = open(stopping.signal)[Symbol.asyncIterator]();
  try {
    // Sends the headers immediately.
    yield encode(`retry: ${RETRY_MS}\n\n`);
    let next = source.next();
    for (;;) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) {
        end.how = 'over';
        return;
      }
      const waitMs = Math.min(heartbeatMs, leftMs);
      const result = await within(next, waitMs);
      // What the source has ready then is told to the client when it comes back.
      if (!result && waitMs < heartbeatMs) continue;
      if (stopping.signal.aborted) return;
      if (result?.done) {
        end.how = 'complete';
        return;
      }
      for (const frame of result ? result.value.map(toFrame) : [':\n\n']) {
        const state = await outlet?.untilReady(Math.min(stalledAfterMs, Math.max(0, endsAt - performance.now())));
        if (stopping.signal.aborted) return;
        if (state === 'stalled') {
          end.how = 'slow';
          outlet?.break();
        }
        if (state === 'stalled' || state === 'gone') return;
        yield encode(frame);
      }
      if (result) {
        end.events += result.value.length;
        next = source.next();
      }
    }
  } catch (error) {
    Object.assign(end, { how: 'failed', error });
    // The host may not hear of it otherwise: the library leaves the response open.
    outlet?.break();
    throw error;
  } finally {
    clearInterval(verifying);
    stopping.abort();
    void source.return?.().catch(() => undefined);
    ended(end);
  }
}

function toFrame({ event, id, data }: ServerEvent): string {
  // JSON has no line breaks outside of texts, and escapes those inside.
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

const encoder = new TextEncoder();
const encode = (text: string) => encoder.encode(text);

/** Resolves to the result, or to `undefined` once this time is over. */
async function within<T>(result: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), undefined);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

function noPlace(): DomainError {
  return new DomainError(
    'rate_limited',
    'Too many of your event streams are open. Close one, or ask for the progress of the import instead.',
    { retryAfterSeconds: 5, context: { policy: 'event-streams' } },
  );
}
