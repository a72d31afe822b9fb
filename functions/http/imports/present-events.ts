import type { ServerEvent } from '../../../shared/edge/streaming/event-stream.ts';
import type { ImportEvent } from '../../../shared/imports/events/tell.ts';
import type { SettledMailbox } from '../../../shared/imports/ledger/settled-mailbox.ts';
import type { Progress } from '../../../shared/imports/progress/progress.ts';

interface Presenters {
  progress(progress: Progress): object;
  mailbox(mailbox: SettledMailbox): object;
}

/** What happens to an import or an action, as server-sent events. */
export async function* presentEvents(
  source: AsyncIterable<readonly ImportEvent[]>,
  present: Presenters,
): AsyncGenerator<ServerEvent[]> {
  for await (const events of source) yield events.map((event) => toServerEvent(event, present));
}

function toServerEvent(event: ImportEvent, present: Presenters): ServerEvent {
  const { kind, id } = event;
  if (event.kind !== 'mailbox') return { event: kind, id, data: present.progress(event.progress) };
  return { event: kind, id, data: { mailboxes: event.mailboxes.map(present.mailbox) } };
}
