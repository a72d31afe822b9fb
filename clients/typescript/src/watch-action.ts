import type { Api, RequestOptions } from './api.ts';
import type { DoneMailbox, MailboxAction } from './types.ts';
import { parseData, watchEvents } from './watch-events.ts';

/** What happens to an action on mailboxes. */
export type MailboxActionEvent =
  /** At each whole percent, and when the status or the finding changes. */
  | { type: 'progress'; action: MailboxAction }
  /** Mailboxes that are done, or whose check was cancelled. Each one comes once. */
  | { type: 'mailbox'; mailboxes: readonly DoneMailbox[] }
  /** The action has ended. Nothing comes after this. */
  | { type: 'done'; action: MailboxAction };

/** Tells what happens to an action until it has ended. */
export function watchAction(
  { raw }: Api,
  actionId: string,
  options?: RequestOptions,
): AsyncGenerator<MailboxActionEvent, void, undefined> {
  return watchEvents(
    ({ header, signal }) =>
      raw.GET('/v1/mailbox-actions/{actionId}/events', {
        params: { path: { actionId }, header },
        parseAs: 'stream',
        signal,
      }),
    toEvent,
    options,
  );
}

function toEvent(name: string | undefined, data: string): MailboxActionEvent | undefined {
  switch (name) {
    case 'progress':
    case 'done':
      return { type: name, action: parseData<MailboxAction>(data) };
    case 'mailbox':
      return { type: 'mailbox', ...parseData<{ mailboxes: DoneMailbox[] }>(data) };
    default:
      return undefined;
  }
}
