import type { Api, RequestOptions } from './api.ts';
import type { Import, SettledMailbox } from './types.ts';
import { parseData, watchEvents } from './watch-events.ts';

/** What happens to an import. */
export type ImportEvent =
  /** At each whole percent, and when the status or the finding changes. */
  | { type: 'progress'; import: Import }
  /** Mailboxes that have been settled. Each one comes once. */
  | { type: 'mailbox'; mailboxes: readonly SettledMailbox[] }
  /** The import has ended. Nothing comes after this. */
  | { type: 'done'; import: Import };

/** Tells what happens to an import until it has ended. */
export function watchImport(
  { raw }: Api,
  importId: string,
  options?: RequestOptions,
): AsyncGenerator<ImportEvent, void, undefined> {
  return watchEvents(
    ({ header, signal }) =>
      raw.GET('/v1/imports/{importId}/events', {
        params: { path: { importId }, header },
        parseAs: 'stream',
        signal,
      }),
    toEvent,
    options,
  );
}

function toEvent(name: string | undefined, data: string): ImportEvent | undefined {
  switch (name) {
    case 'progress':
    case 'done':
      return { type: name, import: parseData<Import>(data) };
    case 'mailbox':
      return { type: 'mailbox', ...parseData<{ mailboxes: SettledMailbox[] }>(data) };
    default:
      return undefined;
  }
}
