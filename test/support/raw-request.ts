import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface RawAnswer {
  /** `closed`: the server ended the connection without an answer. */
  status: number | 'closed';
  text: string;
  afterMs: number;
}

/**
 * Sends a request as bytes on a socket of its own, piece by piece, and leaves the connection open after the last piece.
 * Resolves with the first answer, or when the server closes the connection. For requests that no HTTP client sends.
 */
export function sendRaw(
  url: string,
  head: string[],
  pieces: readonly (string | Uint8Array)[] = [],
  options: { everyMs?: number; thenClose?: boolean } = {},
): Promise<RawAnswer> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const end = () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve({ status: status ? Number(status) : 'closed', text, afterMs: performance.now() - startedAt });
      socket.destroy();
    };
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (isWhole(text)) end();
    });
    socket.on('close', end);
    socket.on('error', () => undefined);
    socket.on('connect', async () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      for (const piece of pieces) {
        if (options.everyMs) await pause(options.everyMs);
        if (socket.destroyed) return;
        socket.write(piece);
      }
      if (options.thenClose) socket.end();
    });
  });
}

/** Whether the answer has arrived: all bytes of its `Content-Length`, or its last chunk. */
function isWhole(text: string): boolean {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  if (rest.length === 0) return false;
  const body = rest.join('\r\n\r\n');
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  return length === undefined
    ? body.endsWith('0\r\n\r\n') || body.includes('\r\n0')
    : Buffer.byteLength(body) >= Number(length);
}
