import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { errorOf, type RequestOptions } from './api.ts';
import { MusterError } from './muster-error.ts';
import { sleep } from './sleep.ts';

/** How long to wait before coming back, unless the API says something else. */
const RETRY_MS = 2_000;

interface StreamInit {
  header: { 'Last-Event-ID'?: string };
  signal: AbortSignal;
}

/**
 * Follows a stream of events to its end. When a connection ends or breaks, it comes back and goes on after the last event,
 * so nothing comes twice and nothing is missing.
 *
 * @param open opens the stream
 * @param toEvent reads a message. `undefined` leaves it out: the API may add events that this client does not know
 */
export async function* watchEvents<Event extends { type: string }>(
  open: (init: StreamInit) => Promise<{ error?: unknown; response: Response }>,
  toEvent: (name: string | undefined, data: string) => Event | undefined,
  { signal = new AbortController().signal }: RequestOptions = {},
): AsyncGenerator<Event, void, undefined> {
  let lastEventId: string | undefined;
  let retryMs = RETRY_MS;
  for (;;) {
    const header = { ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }) };
    const { error, response } = await open({ header, signal });
    if (response.status === 204) return;
    if (!response.ok || !response.body) throw errorOf(error, response);
    const noteRetry = (ms: number) => {
      retryMs = ms;
    };
    for await (const message of messagesOf(response.body, noteRetry, signal)) {
      const event = toEvent(message.event, message.data);
      lastEventId = message.id ?? lastEventId;
      if (event) yield event;
      if (event?.type === 'done') return;
    }
    await sleep(retryMs, signal);
  }
}

/** The messages of one connection, until it ends or breaks. */
async function* messagesOf(
  body: ReadableStream<Uint8Array>,
  onRetry: (ms: number) => void,
  signal: AbortSignal,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => void messages.push(message), onRetry });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(() => {
        if (signal.aborted) throw signal.reason;
        // The connection is broken, which is as if it had ended.
        return { value: undefined, done: true };
      });
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* messages.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Reads the data of an event. */
export function parseData<Data>(data: string): Data {
  try {
    return JSON.parse(data);
  } catch {
    // The message of a SyntaxError quotes the text.
    throw new MusterError('This is not an event of the Muster API.', { code: 'unexpected_answer' });
  }
}
