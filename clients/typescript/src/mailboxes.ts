import { type Api, dataOf, initOf, type PageOptions, type PostOptions, type RequestOptions } from './api.ts';
import { pages } from './pages.ts';
import type { Mailbox, MailboxAction, MailboxChanges, MailboxWithHistory } from './types.ts';

export interface MailboxListOptions extends PageOptions {
  status?: Mailbox['status'];
}

export interface Mailboxes {
  /** A mailbox, and how its verdict has changed. */
  get(connectionId: string, address: string, options?: RequestOptions): Promise<MailboxWithHistory>;
  /** The mailboxes of a connection, with what their checks found. */
  list(connectionId: string, options?: MailboxListOptions): AsyncIterable<Mailbox>;
  /** `null` clears a field. */
  update(
    connectionId: string,
    address: string,
    changes: MailboxChanges,
    options?: RequestOptions,
  ): Promise<MailboxWithHistory>;
  /** The mailbox is `paused` until it is resumed. It keeps its slot. */
  pause(connectionId: string, address: string, options?: PostOptions): Promise<MailboxWithHistory>;
  resume(connectionId: string, address: string, options?: PostOptions): Promise<MailboxWithHistory>;
  /** Gives the slot back. The mailbox stays, and can be reconnected. */
  disconnect(connectionId: string, address: string, options?: PostOptions): Promise<MailboxWithHistory>;
  /** Gives the slot back, and deletes the mailbox. */
  remove(connectionId: string, address: string, options?: RequestOptions): Promise<void>;
  /** Starts another check. A mailbox that works stays active until there is a verdict. */
  check(connectionId: string, address: string, options?: PostOptions): Promise<MailboxAction>;
  /** Takes a slot for a mailbox that was disconnected or has failed, and starts a check. */
  reconnect(connectionId: string, address: string, options?: PostOptions): Promise<MailboxAction>;
}

const PATH = '/v1/connections/{connectionId}/mailboxes/{address}';

export function createMailboxes({ raw }: Api): Mailboxes {
  const change = (verb: 'pause' | 'resume' | 'disconnect') => {
    const path = `${PATH}/${verb}` as const;
    return (connectionId: string, address: string, options: PostOptions = {}) =>
      dataOf(raw.POST(path, { params: { path: { connectionId, address } }, ...initOf(options) }));
  };
  const check = (verb: 'check' | 'reconnect') => {
    const path = `${PATH}/${verb}` as const;
    return (connectionId: string, address: string, options: PostOptions = {}) =>
      dataOf(raw.POST(path, { params: { path: { connectionId, address } }, ...initOf(options) }));
  };

  return {
    get: (connectionId, address, options = {}) =>
      dataOf(raw.GET(PATH, { params: { path: { connectionId, address } }, ...initOf(options) })),

    list: (connectionId, { status, pageSize = 500, ...options } = {}) =>
      pages<Mailbox>((cursor) =>
        dataOf(
          raw.GET('/v1/connections/{connectionId}/mailboxes', {
            params: { path: { connectionId }, query: { ...cursor, limit: pageSize, ...(status && { status }) } },
            ...initOf(options),
          }),
        ),
      ),

    update: (connectionId, address, body, options = {}) =>
      dataOf(raw.PATCH(PATH, { params: { path: { connectionId, address } }, body, ...initOf(options) })),

    pause: change('pause'),
    resume: change('resume'),
    disconnect: change('disconnect'),
    async remove(connectionId, address, options = {}) {
      await dataOf(raw.DELETE(PATH, { params: { path: { connectionId, address } }, ...initOf(options) }));
    },
    check: check('check'),
    reconnect: check('reconnect'),
  };
}
