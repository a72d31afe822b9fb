import { type Api, dataOf, initOf, type PageOptions, type PostOptions, type RequestOptions } from './api.ts';
import { pages } from './pages.ts';
import type { MailboxAction, MailboxActionRow, NewMailboxAction } from './types.ts';
import { type WaitOptions, waitUntilStopped } from './wait-until-stopped.ts';
import { type MailboxActionEvent, watchAction } from './watch-action.ts';

export interface ActionRowListOptions extends PageOptions {
  state?: MailboxActionRow['state'];
}

export interface ActionListOptions extends PageOptions {
  /** Only those that `customer` has started, or that Muster has started by itself: `schedule`. */
  startedBy?: MailboxAction['startedBy'];
}

export interface MailboxActions {
  /** Does something with many mailboxes: with up to 1,000 `addresses`, or with all that `where` describes. */
  start(connectionId: string, action: NewMailboxAction, options?: PostOptions): Promise<MailboxAction>;
  get(actionId: string, options?: RequestOptions): Promise<MailboxAction>;
  /** Newest first. */
  list(connectionId: string, options?: ActionListOptions): AsyncIterable<MailboxAction>;
  /** What became of each mailbox. */
  rows(actionId: string, options?: ActionRowListOptions): AsyncIterable<MailboxActionRow>;
  pause(actionId: string, options?: PostOptions): Promise<MailboxAction>;
  resume(actionId: string, options?: PostOptions): Promise<MailboxAction>;
  /** What was done until then stays. */
  cancel(actionId: string, options?: PostOptions): Promise<MailboxAction>;
  /** Waits until an action has ended, or is paused and makes no progress by itself. `status` of the result says which. */
  wait(actionId: string, options?: WaitOptions<MailboxAction>): Promise<MailboxAction>;
  /** Tells what happens to an action, as it happens, until it has ended. */
  watch(actionId: string, options?: RequestOptions): AsyncGenerator<MailboxActionEvent, void, undefined>;
}

export function createMailboxActions(api: Api): MailboxActions {
  const { raw } = api;
  const change = (verb: 'pause' | 'resume' | 'cancel') => {
    const path = `/v1/mailbox-actions/{actionId}/${verb}` as const;
    return (actionId: string, options: PostOptions = {}) =>
      dataOf(raw.POST(path, { params: { path: { actionId } }, ...initOf(options) }));
  };

  return {
    start: (connectionId, body, options = {}) =>
      dataOf(
        raw.POST('/v1/connections/{connectionId}/mailbox-actions', {
          params: { path: { connectionId } },
          body,
          ...initOf(options),
        }),
      ),

    get: (actionId, options = {}) =>
      dataOf(raw.GET('/v1/mailbox-actions/{actionId}', { params: { path: { actionId } }, ...initOf(options) })),

    list: (connectionId, { startedBy, pageSize, ...options } = {}) =>
      pages<MailboxAction>((cursor) =>
        dataOf(
          raw.GET('/v1/connections/{connectionId}/mailbox-actions', {
            params: {
              path: { connectionId },
              query: { ...cursor, ...(pageSize && { limit: pageSize }), ...(startedBy && { startedBy }) },
            },
            ...initOf(options),
          }),
        ),
      ),

    rows: (actionId, { state, pageSize = 500, ...options } = {}) =>
      pages<MailboxActionRow>((cursor) =>
        dataOf(
          raw.GET('/v1/mailbox-actions/{actionId}/rows', {
            params: { path: { actionId }, query: { ...cursor, limit: pageSize, ...(state && { state }) } },
            ...initOf(options),
          }),
        ),
      ),

    pause: change('pause'),
    resume: change('resume'),
    cancel: change('cancel'),
    watch: (actionId, options) => watchAction(api, actionId, options),
    wait: (actionId, options) =>
      waitUntilStopped(
        `action ${actionId}`,
        (init) => raw.GET('/v1/mailbox-actions/{actionId}', { params: { path: { actionId } }, ...init }),
        options,
      ),
  };
}
