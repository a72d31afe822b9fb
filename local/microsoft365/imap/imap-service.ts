import { createServer, type TLSSocket } from 'node:tls';
import { listen, type MailService } from '../protocols/listen.ts';
import { OpenConnections } from '../protocols/open-connections.ts';
import type { World } from '../world.ts';
import { ImapSession } from './imap-session.ts';

/** Starts the simulated outlook.office365.com:993, TLS from the first byte. */
export async function startImap(world: World, tls: { cert: string; key: string }): Promise<MailService> {
  const connections = new OpenConnections();
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer({ cert: tls.cert, key: tls.key, noDelay: true }, (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // The reader notices when a client disconnects.
    socket.on('error', () => undefined);
    new ImapSession(world, socket, connections).run().catch((error: unknown) => {
      process.stderr.write(`simulated IMAP: ${error instanceof Error ? error.stack : String(error)}\n`);
      socket.destroy();
    });
  });
  // Includes connections that never complete the TLS handshake.
  server.on('connection', (raw) => {
    sockets.add(raw);
    raw.on('close', () => sockets.delete(raw));
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const endpoint = await listen(server);
  return {
    ...endpoint,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Each TLS socket was added after the raw socket below it, and has to be destroyed first.
      for (const socket of [...sockets].reverse()) socket.destroy();
      await closed;
    },
  };
}
