import type { Connection } from '../../connections/connection.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import { createDomainJudge, judgeRows } from '../domains/judge-domain.ts';
import type { Import } from '../import.ts';
import { createSlotDemand, refuseTooFewSlots } from '../planning/slot-demand.ts';
import { importIdOf, type KeptUploadStore } from '../upload/kept-upload.ts';
import { openKeptUpload } from '../upload/open-kept-upload.ts';
import { newImport, scheduleUploadRemoval, sendPlanOnce } from './new-import.ts';
import { requireStillThere, type StartDeps } from './start-import.ts';

interface Deps extends StartDeps {
  keptUploads: Pick<KeptUploadStore, 'get'>;
}

/**
 * Starts an import from the upload that a dry run has kept. Its rows are judged again: mailboxes, slots and the tenant's
 * domains may have changed since.
 *
 * The ID of the import follows from the ID of the upload. So one upload starts one import at most, however many requests
 * come at the same time, and nothing has to be cleaned up if the process dies. A refused upload can be started later.
 *
 * Repeatable with the same `newId`: a retry resolves to the import that an earlier try began.
 *
 * @param connection must be `ready`
 * @throws DomainError `not_found` if the upload has expired, or belongs to another customer or connection
 * @throws DomainError `upload_used` with `importId`
 * @throws DomainError `slot_limit_reached` with `needed` and `free`, `quota_reached` with `limit`
 */
export async function startKeptImport(
  deps: Deps,
  actor: CustomerActor,
  connection: Connection,
  uploadId: string,
): Promise<Import> {
  const { customerId } = actor;
  /** Tells a repeated request from another one. */
  const startedBy = deps.newId('claim');
  const importId = importIdOf(uploadId);
  const begun = await deps.imports.get(customerId, importId);
  if (begun) return continueIfOwn(deps, connection, begun.value, startedBy);

  const { kept, upload } = await openKeptUpload(deps, actor, connection, uploadId);
  const demand = createSlotDemand(deps, connection.id);
  for await (const row of judgeRows(upload, createDomainJudge(connection)).rows) demand.count(row);
  await refuseTooFewSlots(deps, demand, customerId);

  const removal = await scheduleUploadRemoval(deps, connection, importId);
  const record = newImport(deps, { id: importId, connection, ...kept, removal, startedBy });
  // If the import is refused now, the sweep closes the pointer. It may be the pointer of a request at the same time.
  const pointer = { importId, customerId, connectionId: connection.id, openedAt: record.createdAt };
  await deps.imports.openPointer(pointer, deps.quotas.runningImportsMax);
  const quota = { unchecked: demand.unchecked(), max: deps.quotas.rejectedRowsMax };
  const inserted = await deps.imports.insert(record, quota);
  await requireStillThere(deps, connection);
  return continueIfOwn(deps, connection, inserted, startedBy);
}

/** Resolves to the import if this request, or an earlier try of it, has started it. */
async function continueIfOwn(
  deps: Pick<StartDeps, 'importQueues'>,
  connection: Connection,
  record: Import,
  startedBy: string,
): Promise<Import> {
  if (record.connectionId !== connection.id) {
    throw new DomainError('not_found', 'This upload belongs to another connection.');
  }
  if (record.startedBy !== startedBy) {
    throw new DomainError(
      'upload_used',
      `An import has already been started from this upload: ${record.id}. To import the file again, send it again.`,
      { members: { importId: record.id } },
    );
  }
  await sendPlanOnce(deps, record);
  return record;
}
