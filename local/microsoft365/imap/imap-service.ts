import { createServer, type TLSSocket } from 'node:tls';
import { listen, type MailService } from '../protocols/listen.ts';
import { Places } from '../protocols/places.ts';
import type { World } from '../world.ts';
import { ImapSession } from './imap-session.ts';

/** Starts the simulated outlook.office365.com:993, TLS from the first byte. */
export async function startImap(world: World, tls: { cert: string; key: string }): Promise<MailService> {
  const places = new Places();
  const open = new Set<{ destroy(): void }>();
  const server = createServer({ cert: tls.cert, key: tls.key, noDelay: true }, (socket: TLSSocket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // A client that breaks off has gone; the reader sees that.
    socket.on('error', () => undefined);
    new ImapSession(world, socket, places).run().catch((error: unknown) => {
      process.stderr.write(`simulated IMAP: ${error instanceof Error ? error.stack : String(error)}\n`);
      socket.destroy();
    });
  });
  // Also those that never get as far as TLS.
  server.on('connection', (raw) => {
    open.add(raw);
    raw.on('close', () => open.delete(raw));
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const endpoint = await listen(server);
  return {
    ...endpoint,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // The TLS sockets were added after the ones beneath them and go first.
      for (const socket of [...open].reverse()) socket.destroy();
      await closed;
    },
  };
}
