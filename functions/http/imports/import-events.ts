import type { Api } from '../../../shared/edge/routes/api.ts';
import { END_ID } from '../../../shared/imports/events/position.ts';
import type { ImportWatches } from '../../../shared/imports/events/watch-imports.ts';
import { isEnded } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { SettledMailbox } from '../../../shared/imports/ledger/settled-mailbox.ts';
import { requireImport } from '../../../shared/imports/require-import.ts';
import { importEventSchema } from './import-event-schemas.ts';
import { presentEvents } from './present-events.ts';
import { presentProgress } from './present-import.ts';

interface Deps {
  imports: ImportStore;
  importWatches: ImportWatches;
}

export function addImportEventRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'imports-events',
    method: 'GET',
    path: 'v1/imports/{importId}/events',
    tag: 'Imports',
    summary: 'Watch an import as it runs',
    description: `Server-sent events, for any client of \`text/event-stream\` that can send the \`Authorization\` header:

- \`progress\` has the same body as \`GET /v1/imports/{importId}\`. It comes first, then at each whole percent, and when the status or the finding changes. Its counts are those of the mailboxes in the events before it.
- \`mailbox\` names mailboxes that have been settled, up to some hundred of them in one event.
- \`done\` comes when the import has ended, after everything else, with the final body. For an import that has ended already, it comes immediately.

Each event has an \`id\`. A client that comes back with the newest one in \`Last-Event-ID\` gets everything after that event, and nothing twice. Without it, the stream begins with the current progress.

The API ends the stream after about three minutes, or when the key stops working, and a client of server-sent events comes back by itself. If nothing else happens, a comment comes every 15 seconds. Causes may still be explained more precisely when the import ends; the rows have the final ones.`,
    responses: {
      200: {
        description: 'The events. The schema describes one of them.',
        contentType: 'text/event-stream',
        schema: importEventSchema,
        headers: { 'X-Accel-Buffering': 'Always `no`: proxies should pass events on immediately.' },
      },
      204: { description: 'The event with this `Last-Event-ID` was the last one. Do not come back.' },
    },
    permission: 'read',
    async handle({ actor, params, request, answerEvents }) {
      const record = await requireImport(deps, actor, params.importId ?? '');
      const lastEventId = request.headers.get('last-event-id') ?? undefined;
      if (lastEventId === END_ID && isEnded(record.status)) return { status: 204 };
      return answerEvents((signal) =>
        presentEvents(deps.importWatches.watch(record, lastEventId, signal), {
          progress: presentProgress,
          mailbox: presentSettled,
        }),
      );
    },
  });
}

function presentSettled({ line, address, state, cause }: SettledMailbox) {
  return { line, address, state, ...(cause !== undefined && { cause }) };
}
