import { listen, type MailService } from '../protocols/listen.ts';
import type { World } from '../world.ts';
import { ExchangeSmtpServer } from './exchange-server.ts';

/** Starts the simulated smtp.office365.com:587. */
export async function startSmtp(world: World, tls: { cert: string; key: string }): Promise<MailService> {
  const smtp = new ExchangeSmtpServer(world, tls);
  // Broken connections are reported here and need no handling. `listen` reports a server that cannot start.
  smtp.on('error', () => undefined);
  const sockets = new Set<{ destroy(): void }>();
  smtp.server.on('connection', (raw) => {
    sockets.add(raw);
    raw.on('close', () => sockets.delete(raw));
  });
  const endpoint = await listen(smtp.server);
  return {
    ...endpoint,
    async close() {
      const closed = new Promise<void>((resolve) => smtp.close(resolve));
      // TLS sockets first, then the raw sockets below them.
      for (const connection of smtp.connections) connection._socket.destroy();
      for (const raw of sockets) raw.destroy();
      await closed;
    },
  };
}
