import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface TableRequest {
  method: string;
  /** With the path and the query: `/devstoreaccount1/audit(PartitionKey='all',RowKey='…')`. */
  path: string;
  /** What is written, as it was sent. Of a transaction: every part of it. */
  body: string;
}

/** Stands between an app and Table Storage, to end the app's process at a chosen request. */
export interface TableProxy {
  url: string;
  /** From now on, these requests never reach storage and are never answered. Resolves to a list that grows. */
  holdBack(isHeld: (request: TableRequest) => boolean): TableRequest[];
  /** Everything passes again, except for what is held already. */
  passAll(): void;
  close(): void;
}

/** Passes everything on to the storage at this port, unchanged. */
export async function startTableProxy(targetPort: number): Promise<TableProxy> {
  let isHeld: (request: TableRequest) => boolean = () => false;
  let held: TableRequest[] = [];
  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const body = await buffer(incoming);
    const asked = { method, path, body: body.toString() };
    if (isHeld(asked)) {
      held.push({ ...asked, path: decodeURIComponent(path) });
      return;
    }
    const onward = request({ host: '127.0.0.1', port: targetPort, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    onward.end(body);
  }
  const server = createServer((incoming, outgoing) => {
    // A process that was killed in the middle of a request.
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    holdBack(wanted) {
      isHeld = wanted;
      held = [];
      return held;
    },
    passAll() {
      isHeld = () => false;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
