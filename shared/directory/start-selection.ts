import type { Connection } from '../connections/connection.ts';
import type { Import } from '../imports/import.ts';
import { sendPlanOnce } from '../imports/starting/new-import.ts';
import { type StartDeps, startImport } from '../imports/starting/start-import.ts';
import { writeNdjsonRows } from '../imports/upload/ndjson-rows.ts';
import { uploadTypes } from '../imports/upload/read-upload.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { NewId } from '../kernel/ids.ts';
import { type SelectDeps, type SelectionRequest, selectMailboxes } from './select-mailboxes.ts';

/**
 * Starts an import of what is selected from the tenant. The selection becomes a stored upload, so that it is planned like
 * any other import: slots first.
 *
 * Repeatable with the same `newId`. By then the selection may be another one, because its mailboxes are being connected:
 * so a retry resolves to the import that an earlier try began, without selecting again.
 *
 * @param connection must be `ready`
 * @throws DomainError what `selectMailboxes` and `startImport` throw
 */
export async function startSelection(
  deps: StartDeps & SelectDeps,
  actor: CustomerActor,
  connection: Connection,
  request: SelectionRequest,
  cursor?: string,
): Promise<Import> {
  const importId = deps.newId('imp');
  const begun = await deps.imports.get(actor.customerId, importId);
  if (begun) {
    await sendPlanOnce(deps, begun.value);
    return begun.value;
  }
  const { rows, selection } = await selectMailboxes(deps, connection, request, cursor);
  const newId: NewId = (kind) => (kind === 'imp' ? importId : deps.newId(kind));
  const upload = { type: uploadTypes.ndjson, bytes: writeNdjsonRows(rows) };
  return startImport({ ...deps, newId }, actor, connection, upload, { selection });
}
