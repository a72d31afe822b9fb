import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore, DeletedConnection } from '../../connections/connection-store.ts';
import { noSuchConnection } from '../../connections/require-connection.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { type Quotas, rejectedRowsReached } from '../../kernel/quota.ts';
import type { Slots } from '../../plans/slots.ts';
import { createDomainJudge } from '../domains/judge-domain.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createSlotDemand, refuseTooFewSlots } from '../planning/slot-demand.ts';
import type { Retention } from '../retention/removal-schedule.ts';
import type { OpenedUpload } from '../upload/read-upload.ts';
import { hashUpload, receiveUpload } from '../upload/receive-upload.ts';
import type { UploadLimits } from '../upload/upload-limits.ts';
import type { UploadStore } from '../upload/upload-store.ts';
import { newImport, scheduleUploadRemoval, sendPlanOnce } from './new-import.ts';

export interface StartDeps {
  connections: Pick<ConnectionStore, 'get'>;
  /** Removes what is left of a connection that is gone. */
  sendDeletion: (message: DeletedConnection) => Promise<void>;
  imports: ImportStore;
  ledger: Ledger;
  importQueues: Pick<ImportQueues, 'sendPlan'>;
  slots: Pick<Slots, 'get'>;
  uploads: UploadStore;
  uploadLimits: UploadLimits;
  retention: Retention;
  quotas: Pick<Quotas, 'runningImportsMax' | 'rejectedRowsMax'>;
  clock: Clock;
  newId: NewId;
}

/**
 * Stores an upload and starts its import. An upload that cannot be read leaves nothing behind.
 *
 * Writes in this order: when the file is to be removed, the file, the pointer by which the sweep finds the import, the
 * import, the plan message. If the process dies in between, what remains is a file that the timer removes, or an import
 * that the sweep starts.
 *
 * Repeatable with the same `newId`: a retry completes what an earlier try began, and resolves to the same import.
 *
 * @param connection must be `ready`
 * @throws DomainError `not_found` if the connection was deleted during the upload
 * @throws DomainError `slot_limit_reached` with `needed` and `free`, `quota_reached` with `limit`, `file_…`, `payload_too_large`
 * @throws DomainError `idempotency_key_reused` if an earlier try stored another upload under the same ID
 */
export async function startImport(
  deps: StartDeps,
  actor: CustomerActor,
  connection: Connection,
  upload: OpenedUpload,
  origin: Pick<Import, 'retryOf' | 'selection'> = {},
): Promise<Import> {
  const { customerId } = actor;
  const importId = deps.newId('imp');
  const begun = await deps.imports.get(customerId, importId);
  if (begun) return continueImport(deps, begun.value, await hashUpload(upload.bytes));
  const removal = await scheduleUploadRemoval(deps, connection, importId);
  const discard = async () => {
    await deps.uploads.remove(customerId, importId).catch(() => undefined);
    await deps.retention.removals.remove(removal).catch(() => undefined);
  };
  const demand = createSlotDemand(deps, connection.id);
  let record: Import;
  try {
    const judge = createDomainJudge(connection);
    const { type: contentType, bytes: body, workbook } = upload;
    const stored = { customerId, importId, contentType, body, ...(workbook && { workbook }) };
    const received = await receiveUpload({ uploads: deps.uploads, limits: deps.uploadLimits }, stored, (row) => {
      demand.count(judge(row));
      // Then the rest of the file changes nothing.
      if (demand.unchecked() > deps.quotas.rejectedRowsMax) throw rejectedRowsReached(deps.quotas.rejectedRowsMax);
    });
    await refuseTooFewSlots(deps, demand, customerId);
    record = newImport(deps, { id: importId, connection, ...received, ...origin, removal });
    const pointer = { importId, customerId, connectionId: connection.id, openedAt: record.createdAt };
    await deps.imports.openPointer(pointer, deps.quotas.runningImportsMax);
  } catch (error) {
    await discard();
    throw error;
  }
  const inserted = await insertImport(deps, record, demand.unchecked(), discard);
  await requireStillThere(deps, connection);
  return continueImport(deps, inserted, record.uploadHash);
}

/** An upload takes minutes. A connection that was deleted in the meantime does not see the import. */
export async function requireStillThere(
  deps: Pick<StartDeps, 'connections' | 'sendDeletion'>,
  { customerId, id: connectionId }: Pick<Connection, 'id' | 'customerId'>,
): Promise<void> {
  if (await deps.connections.get(customerId, connectionId)) return;
  // If this message is lost, planning sends another one.
  await deps.sendDeletion({ customerId, connectionId }).catch(() => undefined);
  throw noSuchConnection(connectionId);
}

/** Writes the import, or removes what was written for it if the quota of rows is full. */
async function insertImport(
  deps: StartDeps,
  record: Import,
  unchecked: number,
  discard: () => Promise<void>,
): Promise<Import> {
  try {
    return await deps.imports.insert(record, { unchecked, max: deps.quotas.rejectedRowsMax });
  } catch (error) {
    // After any other error the import may exist.
    if (error instanceof DomainError && error.code === 'quota_reached') {
      await discard();
      // If this fails, the sweep closes the pointer.
      await deps.imports.closePointer(record.id).catch(() => undefined);
    }
    throw error;
  }
}

async function continueImport(
  deps: Pick<StartDeps, 'importQueues'>,
  record: Import,
  uploadHash: string | undefined,
): Promise<Import> {
  if (record.uploadHash !== uploadHash) {
    throw new DomainError(
      'idempotency_key_reused',
      'This Idempotency-Key was used with a different upload. Use a new key for a new import.',
    );
  }
  await sendPlanOnce(deps, record);
  return record;
}
