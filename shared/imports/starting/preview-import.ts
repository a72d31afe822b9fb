import type { Connection } from '../../connections/connection.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Slots } from '../../plans/slots.ts';
import { createDomainJudge, judgeRows } from '../domains/judge-domain.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createExistingMailboxes } from '../planning/existing-mailboxes.ts';
import { countFreeSlots } from '../planning/slot-demand.ts';
import type { Removal, Retention } from '../retention/removal-schedule.ts';
import type { KeptUpload, KeptUploadStore } from '../upload/kept-upload.ts';
import { openKeptUpload } from '../upload/open-kept-upload.ts';
import { createPreviewBook, type Preview, previewUpload } from '../upload/preview-upload.ts';
import { describeColumns, type OpenedUpload, readUpload } from '../upload/read-upload.ts';
import { receiveUpload } from '../upload/receive-upload.ts';
import type { UploadLimits } from '../upload/upload-limits.ts';
import type { UploadStore } from '../upload/upload-store.ts';

interface PreviewDeps {
  ledger: Ledger;
  slots: Pick<Slots, 'get'>;
  uploads: UploadStore;
  uploadLimits: UploadLimits;
  keptUploads: KeptUploadStore;
  /** How many uploads of dry runs are kept for a customer. */
  keptUploadsMax: number;
  retention: Retention;
  clock: Clock;
  newId: NewId;
}

export interface KeptPreview {
  preview: Preview;
  /** Absent if the upload is not kept, because the customer has too many. */
  kept?: KeptUpload;
}

/** The host ends every function by then, so no import is being started from an upload when it is removed. */
const REMOVE_AFTER_MS = 600_000;

/**
 * Says what starting an import with this upload would do (a dry run), and keeps the upload for a while, so that an import
 * can start from it. Starts nothing.
 *
 * Writes when the upload is to be removed before the upload itself. If the process dies in between, the timer removes what
 * is there.
 *
 * @param connection must be `ready`
 * @throws DomainError `file_…`, `payload_too_large`
 */
export async function previewImport(
  deps: PreviewDeps,
  actor: CustomerActor,
  connection: Connection,
  upload: OpenedUpload,
): Promise<KeptPreview> {
  const { customerId } = actor;
  const free = await countFreeSlots(deps, customerId);
  const findExisting = createExistingMailboxes(deps.ledger, connection.id);
  const judge = createDomainJudge(connection);
  const { keptUploadsMax } = deps;
  if ((await deps.keptUploads.count(customerId, deps.clock.now(), keptUploadsMax)) >= keptUploadsMax) {
    const parsed = await readUpload(upload.type, upload.bytes, deps.uploadLimits);
    const preview = await previewUpload(judgeRows(parsed, judge), findExisting, { free });
    return { preview: { ...preview, columns: describeColumns(preview.columns, upload) } };
  }

  const importId = deps.newId('imp');
  const expiresAt = new Date(deps.clock.now().getTime() + deps.retention.previewKeptMs);
  const removeAt = new Date(expiresAt.getTime() + REMOVE_AFTER_MS);
  const removal: Removal = { kind: 'preview', customerId, connectionId: connection.id, importId, removeAt };
  await deps.retention.removals.put(removal);
  const book = createPreviewBook(findExisting, { free });
  const { type: contentType, bytes: body, workbook } = upload;
  const incoming = { customerId, importId, contentType, body, ...(workbook && { workbook }) };
  const received = await receiveUpload({ uploads: deps.uploads, limits: deps.uploadLimits }, incoming, (row) =>
    book.add(judge(row)),
  ).catch(async (error) => {
    // Nothing is stored.
    await deps.retention.removals.remove(removal).catch(() => undefined);
    throw error;
  });
  const preview = await book.close(received.columns);
  const { uploadType, columns, hash, rows } = received;
  const kept = { customerId, connectionId: connection.id, importId, uploadType, columns, hash, rows, expiresAt };
  await deps.keptUploads.put(kept);
  return { preview, kept };
}

/**
 * The same for an upload that an earlier dry run has kept. It is not kept for longer.
 *
 * @throws DomainError `not_found`
 */
export async function previewKeptUpload(
  deps: PreviewDeps,
  actor: CustomerActor,
  connection: Connection,
  uploadId: string,
): Promise<KeptPreview> {
  const { kept, upload } = await openKeptUpload(deps, actor, connection, uploadId);
  const free = await countFreeSlots(deps, actor.customerId);
  const findExisting = createExistingMailboxes(deps.ledger, connection.id);
  const judged = judgeRows(upload, createDomainJudge(connection));
  const preview = await previewUpload(judged, findExisting, { free });
  return { preview: { ...preview, columns: kept.columns }, kept };
}
