import type { Api } from '../../../shared/edge/routes/api.ts';
import { END_ID } from '../../../shared/imports/events/position.ts';
import type { ImportWatches } from '../../../shared/imports/events/watch-imports.ts';
import { isEnded } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import { requireAction } from '../../../shared/imports/require-import.ts';
import { presentEvents } from '../imports/present-events.ts';
import { actionEventSchema } from './mailbox-action-schemas.ts';
import { presentAction, presentDoneMailbox } from './present-action.ts';

interface Deps {
  imports: ImportStore;
  importWatches: ImportWatches;
}

export function addMailboxActionEventRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'mailbox-actions-events',
    method: 'GET',
    path: 'v1/mailbox-actions/{actionId}/events',
    tag: 'Mailboxes',
    summary: 'Watch an action as it runs',
    description: `Server-sent events, as those of an import:

- \`progress\` has the same body as \`GET /v1/mailbox-actions/{actionId}\`. It comes first, then at each whole percent, and when the status or the finding changes.
- \`mailbox\` names mailboxes that are done, or whose check was cancelled, up to some hundred of them in one event. Skipped mailboxes are only counted.
- \`done\` comes when the action has ended, after everything else, with the final body.

A client that comes back with the newest \`id\` in \`Last-Event-ID\` is told everything after that event, and nothing twice. The API ends the stream after about three minutes, or when the key stops working.`,
    responses: {
      200: {
        description: 'The events. The schema describes one of them.',
        contentType: 'text/event-stream',
        schema: actionEventSchema,
        headers: { 'X-Accel-Buffering': 'Always `no`: proxies should pass events on immediately.' },
      },
      204: { description: 'The event with this `Last-Event-ID` was the last one. Do not come back.' },
    },
    permission: 'read',
    async handle({ actor, params, request, answerEvents }) {
      const record = await requireAction(deps, actor, params.actionId ?? '');
      const { action } = record;
      const lastEventId = request.headers.get('last-event-id') ?? undefined;
      if (lastEventId === END_ID && isEnded(record.status)) return { status: 204 };
      return answerEvents((signal) =>
        presentEvents(deps.importWatches.watch(record, lastEventId, signal), {
          progress: (progress) => presentAction(action, progress),
          mailbox: (mailbox) => presentDoneMailbox(action, mailbox),
        }),
      );
    },
  });
}
