import type { Connection } from '../../connections/connection.ts';
import { DomainError } from '../../kernel/errors.ts';
import { isCheck, type MailboxAction } from '../../mailboxes/mailbox-action.ts';
import type { SelectedMailbox } from '../actions/select-mailboxes.ts';
import type { Import } from '../import.ts';
import { refuseSlots } from '../planning/slot-demand.ts';
import { writeNdjsonRows } from '../upload/ndjson-rows.ts';
import { uploadTypes } from '../upload/read-upload.ts';
import { receiveUpload } from '../upload/receive-upload.ts';
import { newImport, newOneAction, scheduleUploadRemoval, sendPlanOnce } from './new-import.ts';
import { requireStillThere, type StartDeps } from './start-import.ts';

/** It reads no row and judges no domain, so it needs no ledger. */
export type StartActionDeps = Omit<StartDeps, 'ledger'>;

type StartOneDeps = Omit<StartActionDeps, 'uploads' | 'uploadLimits' | 'retention'>;

/**
 * Starts an action on mailboxes that the connection has. Their addresses are stored as an upload is. From then on the
 * action is planned, sent, counted and ended as an import is, but it is not listed among the imports.
 *
 * Writes in the order of `startImport`, and is repeatable with the same `newId`, as that is.
 *
 * @param mailboxes each address once
 * @throws DomainError `not_found` if the connection was deleted, `nothing_selected`
 * @throws DomainError `slot_limit_reached` with `needed` and `free`, `quota_reached` with `limit`
 */
export async function startAction(
  deps: StartActionDeps,
  connection: Pick<Connection, 'id' | 'customerId'>,
  action: MailboxAction,
  mailboxes: AsyncIterable<SelectedMailbox>,
  how: Pick<Import, 'isReverification'> = {},
): Promise<Import> {
  const { customerId, id: connectionId } = connection;
  const id = deps.newId('act');
  const begun = await deps.imports.get(customerId, id);
  if (begun) return continueAction(deps, begun.value);
  const removal = await scheduleUploadRemoval(deps, connection, id);
  let record: Import;
  try {
    const { needed, ...received } = await storeAddresses(deps, customerId, id, mailboxes);
    if (isCheck(action)) await refuseSlots(deps, 'action', async () => needed, customerId);
    record = newImport(deps, { id, connection, ...received, removal, action, ...how });
    const pointer = { importId: id, customerId, connectionId, openedAt: record.createdAt };
    await deps.imports.openPointer(pointer, deps.quotas.runningImportsMax);
  } catch (error) {
    await deps.uploads.remove(customerId, id).catch(() => undefined);
    await deps.retention.removals.remove(removal).catch(() => undefined);
    throw error;
  }
  // If this is refused, the timer removes the upload, and the sweep closes the pointer.
  const inserted = await deps.imports.insert(record, { unchecked: 0, max: deps.quotas.rejectedRowsMax });
  await requireStillThere(deps, connection);
  return continueAction(deps, inserted);
}

/**
 * Starts a check of one mailbox, without an upload. Repeatable with the same `newId`.
 *
 * @throws DomainError `slot_limit_reached` with `needed` and `free`, `quota_reached` with `limit`
 */
export async function startOneCheck(
  deps: StartOneDeps,
  connection: Pick<Connection, 'id' | 'customerId'>,
  action: 'check' | 'reconnect',
  { address, takesSlot }: SelectedMailbox,
): Promise<Import> {
  if (takesSlot) await refuseSlots(deps, 'action', async () => 1, connection.customerId);
  const record = await beginOneAction(
    deps,
    connection,
    action,
    { address },
    { runningMax: deps.quotas.runningImportsMax },
  );
  return continueAction(deps, record);
}

/** Stores an action on one mailbox. The sweep carries it out if nobody else does. Repeatable with the same `newId`. */
export async function beginOneAction(
  deps: StartOneDeps,
  connection: Pick<Connection, 'id' | 'customerId'>,
  action: MailboxAction,
  target: Required<Import>['target'],
  { runningMax }: { runningMax: number },
): Promise<Import> {
  const { customerId, id: connectionId } = connection;
  const id = deps.newId('act');
  const begun = await deps.imports.get(customerId, id);
  if (begun) return begun.value;
  const record = newOneAction(deps, { id, connection, action, target });
  const pointer = { importId: id, customerId, connectionId, openedAt: record.createdAt };
  await deps.imports.openPointer(pointer, runningMax);
  const inserted = await deps.imports.insert(record);
  await requireStillThere(deps, connection);
  return inserted;
}

async function storeAddresses(
  deps: StartActionDeps,
  customerId: string,
  importId: string,
  mailboxes: AsyncIterable<SelectedMailbox>,
) {
  let needed = 0;
  async function* counted(): AsyncGenerator<{ address: string }> {
    for await (const { address, takesSlot } of mailboxes) {
      if (takesSlot) needed++;
      yield { address };
    }
  }
  const body = writeNdjsonRows(counted());
  const target = { customerId, importId, contentType: uploadTypes.ndjson, body };
  const received = await receiveUpload({ uploads: deps.uploads, limits: deps.uploadLimits }, target).catch((error) => {
    if (error instanceof DomainError && error.code === 'file_empty') throw nothingSelected();
    throw error;
  });
  const { uploadType, hash, rows } = received;
  return { uploadType, hash, rows, needed };
}

async function continueAction(deps: Pick<StartActionDeps, 'importQueues'>, record: Import): Promise<Import> {
  await sendPlanOnce(deps, record);
  return record;
}

function nothingSelected(): DomainError {
  return new DomainError('nothing_selected', 'No mailbox of this connection matches. Nothing was done.');
}
