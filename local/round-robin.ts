import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { forwardRequest } from './functions-host/forward.ts';
import { answerEmpty } from './functions-host/http-message.ts';
import { StartError } from './start-error.ts';

/** One address in front of several processes. */
export interface RoundRobin {
  port: number;
  /** Accepts nothing more and ends all connections. */
  close(): Promise<void>;
}

/**
 * Sends each request to the next process, like the platform's load balancer. `ports` returns the ports of the processes
 * that can answer now. Without any, the answer is 503. A process that dies while it answers ends in a 502, or in a broken
 * connection if a part of the answer was already sent.
 */
export async function startRoundRobin(port: number, ports: () => readonly number[]): Promise<RoundRobin> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  let next = 0;
  const server = createServer((req, res) => {
    const candidates = ports();
    const chosen = candidates[next++ % candidates.length];
    if (chosen === undefined) answerEmpty(req, res, 503);
    else forwardRequest(req, res, { agent, port: chosen });
  });
  server.on('clientError', (_, socket) => socket.destroy());
  // As in the functions host: slow uploads have no time limit, and idle connections stay open for 130 seconds.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 130_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new StartError(`Port ${port} cannot be used: ${error.message}`)));
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
