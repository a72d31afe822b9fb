import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { type Api, errorOf, type RequestOptions } from './api.ts';
import { MusterError } from './muster-error.ts';
import { sleep } from './sleep.ts';
import type { Import, SettledMailbox } from './types.ts';

/** What happens to an import. */
export type ImportEvent =
  /** At each whole percent, and when the status or the finding changes. */
  | { type: 'progress'; import: Import }
  /** Mailboxes that have been settled. Each one comes once. */
  | { type: 'mailbox'; mailboxes: readonly SettledMailbox[] }
  /** The import has ended. Nothing comes after this. */
  | { type: 'done'; import: Import };

/** How long to wait before coming back, unless the API says something else. */
const RETRY_MS = 2_000;

/**
 * Tells what happens to an import until it has ended. When a connection ends or breaks, it comes back and goes on after the
 * last event, so nothing comes twice and nothing is missing.
 */
export async function* watchImport(
  { raw }: Api,
  importId: string,
  { signal = new AbortController().signal }: RequestOptions = {},
): AsyncGenerator<ImportEvent, void, undefined> {
  let lastEventId: string | undefined;
  let retryMs = RETRY_MS;
  for (;;) {
    const { error, response } = await raw.GET('/v1/imports/{importId}/events', {
      params: { path: { importId }, header: { ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }) } },
      parseAs: 'stream',
      signal,
    });
    if (response.status === 204) return;
    if (!response.ok || !response.body) throw errorOf(error, response);
    const noteRetry = (ms: number) => {
      retryMs = ms;
    };
    for await (const message of messagesOf(response.body, noteRetry, signal)) {
      const event = toEvent(message);
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

/** An event that this client does not know is left out: the API may add some. */
function toEvent({ event, data }: EventSourceMessage): ImportEvent | undefined {
  switch (event) {
    case 'progress':
    case 'done':
      return { type: event, import: parse<Import>(data) };
    case 'mailbox':
      return { type: 'mailbox', ...parse<{ mailboxes: SettledMailbox[] }>(data) };
    default:
      return undefined;
  }
}

function parse<Data>(data: string): Data {
  try {
    return JSON.parse(data);
  } catch {
    // The message of a SyntaxError quotes the text.
    throw new MusterError('This is not an event of the Muster API.', { code: 'unexpected_answer' });
  }
}
