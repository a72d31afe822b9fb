import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll } from 'vitest';
import type { WebhookEvent } from '../../clients/typescript/src/index.ts';

export interface Receiver {
  url: string;
  /** What is signed with it is verified. */
  secret: string;
  /** The events that it has answered with success, with repetitions. */
  received: { id: string; event: WebhookEvent }[];
  /** Signatures that did not verify. */
  refused: string[];
  status: number;
  delayMs: number;
  /** Runs once, when the next event has arrived and before it is answered. */
  beforeAnswer?: (() => void) | undefined;
}

/** A server that takes events, before the tests of a file until after them. */
export function useReceiver(): Receiver {
  const receiver: Receiver = { url: '', secret: '', received: [], refused: [], status: 204, delayMs: 0 };
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    receiver.beforeAnswer?.();
    receiver.beforeAnswer = undefined;
    await new Promise((resolve) => setTimeout(resolve, receiver.delayMs));
    try {
      const event = new Webhook(receiver.secret).verify(body, request.headers as Record<string, string>);
      const id = String(request.headers['webhook-id']);
      if (receiver.status < 300) receiver.received.push({ id, event: event as WebhookEvent });
    } catch (error) {
      receiver.refused.push(String(error));
    }
    response.writeHead(receiver.status).end('seen');
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/muster`;
  });
  afterAll(() => void server.close());
  return receiver;
}
