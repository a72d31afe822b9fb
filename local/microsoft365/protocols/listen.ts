import type { AddressInfo, Server } from 'node:net';

export interface Endpoint {
  host: string;
  port: number;
}

export interface MailService extends Endpoint {
  /** Ends every connection; resolves when none is open any more. */
  close(): Promise<void>;
}

/** Resolves once the server answers on a free port of 127.0.0.1. */
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
