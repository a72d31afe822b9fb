import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** The connection on which the answer of one request leaves this process. */
export interface Outlet {
  /**
   * Resolves to `ready` once the connection takes more, to `gone` if the client has left, and to `stalled` if the client
   * takes nothing for `stalledAfterMs`.
   */
  untilReady(stalledAfterMs: number): Promise<'ready' | 'gone' | 'stalled'>;
  /** Breaks the connection. Only that tells a client that what it has received is not the whole answer. */
  break(): void;
  /** Calls back once the connection is closed, or the answer is sent. */
  onClose(callback: () => void): void;
}

export interface Outlets {
  /** `undefined` if no server of this process answers this invocation. */
  find(invocationId: string): Outlet | undefined;
  /** The headers of the request as the host forwarded it. `undefined` if no server of this process received it. */
  headersOf(invocationId: string): IncomingHttpHeaders | undefined;
}

const INVOCATION_HEADER = 'x-ms-invocation-id';

/**
 * Finds the connection of each invocation of this process.
 *
 * The Functions library writes a streamed body as fast as the body can be read. It does not wait for a slow client, and
 * does not notice when the client leaves. It hides the response, so this looks at what Node says about every request
 * that a server of the process receives.
 */
export function createOutlets(): Outlets {
  const responses = new Map<string, ServerResponse>();
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION_HEADER];
    if (typeof id !== 'string') return;
    responses.set(id, response);
    response.once('close', () => {
      if (responses.get(id) === response) responses.delete(id);
    });
  });
  return {
    find(invocationId) {
      const response = responses.get(invocationId);
      return response && outletOf(response);
    },
    headersOf: (invocationId) => responses.get(invocationId)?.req.headers,
  };
}

export function outletOf(response: ServerResponse): Outlet {
  return {
    async untilReady(stalledAfterMs) {
      if (response.destroyed) return 'gone';
      if (!response.writableNeedDrain) return 'ready';
      const { promise, resolve } = Promise.withResolvers<'ready' | 'gone' | 'stalled'>();
      const onDrain = () => resolve('ready');
      const onClose = () => resolve('gone');
      const timer = setTimeout(() => resolve('stalled'), stalledAfterMs);
      response.once('drain', onDrain).once('close', onClose);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        response.off('drain', onDrain).off('close', onClose);
      }
    },
    break: () => void response.destroy(),
    onClose(callback) {
      if (response.destroyed) callback();
      else response.once('close', callback);
    },
  };
}
