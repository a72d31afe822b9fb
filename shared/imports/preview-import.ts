import type { Connection } from '../connections/connection.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Slots } from '../plans/slots.ts';
import { createDomainJudge, judgeRows } from './domains/judge-domain.ts';
import type { Ledger } from './ledger/ledger.ts';
import { createExistingMailboxes } from './planning/existing-mailboxes.ts';
import { countFreeSlots } from './planning/slot-demand.ts';
import { type Preview, previewUpload } from './upload/preview-upload.ts';
import { describeColumns, type OpenedUpload, readUpload } from './upload/read-upload.ts';
import type { UploadLimits } from './upload/upload-limits.ts';

interface PreviewDeps {
  ledger: Ledger;
  slots: Pick<Slots, 'get'>;
  uploadLimits: UploadLimits;
}

/**
 * Says what starting an import with this upload would do (a dry run). Nothing is stored.
 *
 * @param connection must be `ready`
 * @throws DomainError `file_…`, `payload_too_large`
 */
export async function previewImport(
  deps: PreviewDeps,
  actor: CustomerActor,
  connection: Connection,
  upload: OpenedUpload,
): Promise<Preview> {
  const parsed = judgeRows(
    await readUpload(upload.type, upload.bytes, deps.uploadLimits),
    createDomainJudge(connection),
  );
  const free = await countFreeSlots(deps, actor.customerId);
  const preview = await previewUpload(parsed, createExistingMailboxes(deps.ledger, connection.id), { free });
  return { ...preview, columns: describeColumns(preview.columns, upload) };
}
