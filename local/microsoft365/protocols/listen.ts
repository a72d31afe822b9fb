import type { AddressInfo, Server } from 'node:net';

export interface Endpoint {
  host: string;
  port: number;
}

export interface MailService extends Endpoint {
  /** Closes every connection. Resolves when all of them are closed. */
  close(): Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1. Resolves when it accepts connections. */
export async function listen(server: Server): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
