import type { Connection } from '../../connections/connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Removal, Retention } from '../retention/removal-schedule.ts';

interface NewImport
  extends Pick<
    Import,
    'id' | 'uploadType' | 'columns' | 'retryOf' | 'startedBy' | 'action' | 'selection' | 'isReverification'
  > {
  connection: Pick<Connection, 'id' | 'customerId'>;
  rows: number;
  hash: string;
  /** When the upload is removed. */
  removal: Removal;
}

/** An import that has just been accepted. */
export function newImport(deps: { clock: Clock }, { id, connection, ...given }: NewImport): Import {
  return {
    ...newRecord(deps, id, connection, given.rows),
    uploadType: given.uploadType,
    ...(given.columns !== undefined && { columns: given.columns }),
    uploadHash: given.hash,
    uploadExpiresAt: given.removal.removeAt,
    ...(given.action !== undefined && { action: given.action }),
    ...(given.isReverification && { isReverification: true as const }),
    ...(given.retryOf !== undefined && { retryOf: given.retryOf }),
    ...(given.selection !== undefined && { selection: given.selection }),
    ...(given.startedBy !== undefined && { startedBy: given.startedBy }),
  };
}

/** The upload type of an action on one mailbox. */
const NO_UPLOAD = 'none';

/** An action on one mailbox. It has no upload. */
export function newOneAction(
  deps: { clock: Clock },
  {
    id,
    connection,
    action,
    target,
  }: Pick<NewImport, 'id' | 'connection'> & Required<Pick<Import, 'action' | 'target'>>,
): Import {
  return { ...newRecord(deps, id, connection, 1), uploadType: NO_UPLOAD, action, target };
}

function newRecord({ clock }: { clock: Clock }, id: string, connection: NewImport['connection'], rows: number) {
  return {
    id,
    customerId: connection.customerId,
    connectionId: connection.id,
    status: 'accepted',
    epoch: 1,
    cursor: 0,
    dispatched: 0,
    batches: [],
    eventPending: false,
    uploadedRows: rows,
    quotaRows: rows,
    createdAt: clock.now(),
  } as const satisfies Partial<Import>;
}

/** Notes when the upload of an import is to be removed, before it is stored. */
export async function scheduleUploadRemoval(
  deps: { retention: Retention; clock: Clock },
  connection: Pick<Connection, 'id' | 'customerId'>,
  importId: string,
): Promise<Removal> {
  const { removals, uploadKeptMs } = deps.retention;
  const removeAt = new Date(deps.clock.now().getTime() + uploadKeptMs);
  const { id: connectionId, customerId } = connection;
  const removal: Removal = { kind: 'upload', customerId, connectionId, importId, removeAt };
  await removals.put(removal);
  return removal;
}

/** The import exists. If the message is lost, the sweep sends another one. */
export async function sendPlanOnce(
  { importQueues }: { importQueues: Pick<ImportQueues, 'sendPlan'> },
  { customerId, id: importId, status }: Import,
): Promise<void> {
  if (status === 'accepted') await importQueues.sendPlan({ v: 1, customerId, importId }).catch(() => undefined);
}
