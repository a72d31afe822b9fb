import { listen, type MailService } from '../protocols/listen.ts';
import type { World } from '../world.ts';
import { ExchangeSmtpServer } from './exchange-server.ts';

/** Starts the simulated smtp.office365.com:587. */
export async function startSmtp(world: World, tls: { cert: string; key: string }): Promise<MailService> {
  const smtp = new ExchangeSmtpServer(world, tls);
  // Ends of connections come here too; a server that cannot listen is told by `listen`.
  smtp.on('error', () => undefined);
  const open = new Set<{ destroy(): void }>();
  smtp.server.on('connection', (raw) => {
    open.add(raw);
    raw.on('close', () => open.delete(raw));
  });
  const endpoint = await listen(smtp.server);
  return {
    ...endpoint,
    async close() {
      const closed = new Promise<void>((resolve) => smtp.close(resolve));
      // What TLS runs over goes last.
      for (const connection of smtp.connections) connection._socket.destroy();
      for (const raw of open) raw.destroy();
      await closed;
    },
  };
}
