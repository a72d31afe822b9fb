import { type Api, dataOf, initOf, type PageOptions, type RequestOptions } from './api.ts';
import { pages } from './pages.ts';
import type { Mailbox } from './types.ts';

export interface MailboxListOptions extends PageOptions {
  status?: Mailbox['status'];
}

export interface Mailboxes {
  get(connectionId: string, address: string, options?: RequestOptions): Promise<Mailbox>;
  /** The mailboxes of a connection, with what their checks found. */
  list(connectionId: string, options?: MailboxListOptions): AsyncIterable<Mailbox>;
}

export function createMailboxes({ raw }: Api): Mailboxes {
  return {
    get: (connectionId, address, options = {}) =>
      dataOf(
        raw.GET('/v1/connections/{connectionId}/mailboxes/{address}', {
          params: { path: { connectionId, address } },
          ...initOf(options),
        }),
      ),

    list: (connectionId, { status, pageSize = 500, ...options } = {}) =>
      pages<Mailbox>((cursor) =>
        dataOf(
          raw.GET('/v1/connections/{connectionId}/mailboxes', {
            params: { path: { connectionId }, query: { ...cursor, limit: pageSize, ...(status && { status }) } },
            ...initOf(options),
          }),
        ),
      ),
  };
}
