import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore, DeletedConnection } from '../connections/connection-store.ts';
import { noSuchConnection } from '../connections/require-connection.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Quotas } from '../kernel/quota.ts';
import type { Slots } from '../plans/slots.ts';
import { createDomainJudge } from './domains/judge-domain.ts';
import type { Import } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import type { ImportStore } from './import-store.ts';
import type { Ledger } from './ledger/ledger.ts';
import { countFreeSlots, createSlotDemand, type SlotDemand } from './planning/slot-demand.ts';
import type { OpenedUpload } from './upload/read-upload.ts';
import { hashUpload, receiveUpload } from './upload/receive-upload.ts';
import type { UploadLimits } from './upload/upload-limits.ts';
import type { UploadStore } from './upload/upload-store.ts';

export interface StartDeps {
  connections: Pick<ConnectionStore, 'get'>;
  /** Removes what is left of a connection that is gone. */
  sendDeletion: (message: DeletedConnection) => Promise<void>;
  imports: ImportStore;
  ledger: Ledger;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'get'>;
  uploads: UploadStore;
  uploadLimits: UploadLimits;
  quotas: Pick<Quotas, 'runningImportsMax' | 'rejectedRowsMax'>;
  clock: Clock;
  newId: NewId;
}

/**
 * Stores an upload and starts its import. An upload that cannot be read leaves nothing behind.
 *
 * Writes in this order: the file, the pointer by which the sweep finds the import, the import, the plan message. If the
 * process dies in between, what remains is a file that the storage lifecycle rule removes, or an import that the sweep
 * starts.
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
  origin: Pick<Import, 'retryOf'> = {},
): Promise<Import> {
  const { customerId } = actor;
  const importId = deps.newId('imp');
  const begun = await deps.imports.get(customerId, importId);
  if (begun) return continueImport(deps, begun.value, await hashUpload(upload.bytes));
  const demand = createSlotDemand(deps, connection.id);
  const judge = createDomainJudge(connection);
  const { type: contentType, bytes: body, workbook } = upload;
  const stored = { customerId, importId, contentType, body, ...(workbook && { workbook }) };
  const received = await receiveUpload({ uploads: deps.uploads, limits: deps.uploadLimits }, stored, (row) =>
    demand.count(judge(row)),
  );
  await refuseTooFewSlots(deps, demand, customerId, importId);
  const now = deps.clock.now();
  const pointer = { importId, customerId, connectionId: connection.id, openedAt: now };
  try {
    await deps.imports.openPointer(pointer, deps.quotas.runningImportsMax);
  } catch (error) {
    await deps.uploads.remove(customerId, importId).catch(() => undefined);
    throw error;
  }
  const record: Import = {
    id: importId,
    customerId,
    connectionId: connection.id,
    status: 'accepted',
    epoch: 1,
    cursor: 0,
    dispatched: 0,
    batches: [],
    eventPending: false,
    uploadType: received.uploadType,
    columns: received.columns,
    uploadedRows: received.rows,
    quotaRows: received.rows,
    uploadHash: received.hash,
    createdAt: now,
    ...origin,
  };
  const inserted = await insertImport(deps, record, demand.unchecked());
  await requireStillThere(deps, connection);
  return continueImport(deps, inserted, received.hash);
}

/** An upload takes minutes. A connection that was deleted in the meantime does not see the import. */
async function requireStillThere(deps: StartDeps, { customerId, id: connectionId }: Connection): Promise<void> {
  if (await deps.connections.get(customerId, connectionId)) return;
  // If this message is lost, planning sends another one.
  await deps.sendDeletion({ customerId, connectionId }).catch(() => undefined);
  throw noSuchConnection(connectionId);
}

/** Writes the import, or removes what was written for it if the quota of rows is full. */
async function insertImport(deps: StartDeps, record: Import, unchecked: number): Promise<Import> {
  try {
    return await deps.imports.insert(record, { unchecked, max: deps.quotas.rejectedRowsMax });
  } catch (error) {
    // After any other error the import may exist.
    if (error instanceof DomainError && error.code === 'quota_reached') {
      await deps.uploads.remove(record.customerId, record.id).catch(() => undefined);
      // If this fails, the sweep closes the pointer.
      await deps.imports.closePointer(record.id).catch(() => undefined);
    }
    throw error;
  }
}

async function refuseTooFewSlots(
  deps: Pick<StartDeps, 'slots' | 'uploads'>,
  demand: SlotDemand,
  customerId: string,
  importId: string,
): Promise<void> {
  try {
    const free = await countFreeSlots(deps, customerId);
    const needed = await demand.needed(free);
    if (needed > free) throw tooFewSlots(needed, free);
  } catch (error) {
    await deps.uploads.remove(customerId, importId).catch(() => undefined);
    throw error;
  }
}

/** The import exists from here on. */
async function continueImport(
  deps: Pick<StartDeps, 'importQueues'>,
  record: Import,
  uploadHash: string,
): Promise<Import> {
  if (record.uploadHash !== uploadHash) {
    throw new DomainError(
      'idempotency_key_reused',
      'This Idempotency-Key was used with a different upload. Use a new key for a new import.',
    );
  }
  const { customerId, id: importId } = record;
  // If this message is lost, the sweep sends another one.
  if (record.status === 'accepted') {
    await deps.importQueues.sendPlan({ v: 1, customerId, importId }).catch(() => undefined);
  }
  return record;
}

function tooFewSlots(needed: number, free: number): DomainError {
  return new DomainError(
    'slot_limit_reached',
    `This import needs ${needed} mailbox slots, and your plan has ${free} free. Disconnect mailboxes you no longer need, ask for more slots, or upload fewer rows.`,
    { members: { needed, free } },
  );
}
