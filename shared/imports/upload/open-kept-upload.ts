import type { Connection } from '../../connections/connection.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { isId } from '../../kernel/ids.ts';
import { importIdOf, type KeptUpload, type KeptUploadStore } from './kept-upload.ts';
import type { ParsedUpload } from './parsed-row.ts';
import { readUpload } from './read-upload.ts';
import type { UploadLimits } from './upload-limits.ts';
import type { UploadStore } from './upload-store.ts';

interface Deps {
  keptUploads: Pick<KeptUploadStore, 'get'>;
  uploads: Pick<UploadStore, 'read'>;
  uploadLimits: UploadLimits;
  clock: Clock;
}

const SEND_AGAIN = 'Send the file again.';

/**
 * Opens the upload that a dry run has kept for this connection.
 *
 * @throws DomainError `not_found`
 */
export async function openKeptUpload(
  deps: Deps,
  actor: CustomerActor,
  connection: Pick<Connection, 'id'>,
  uploadId: string,
): Promise<{ kept: KeptUpload; upload: ParsedUpload }> {
  const importId = importIdOf(uploadId);
  const kept = isId('upl', uploadId) ? await deps.keptUploads.get(actor.customerId, importId) : undefined;
  if (!kept) throw notFound(`There is no such upload, or it has expired. ${SEND_AGAIN}`);
  if (kept.connectionId !== connection.id) throw notFound('This upload belongs to another connection.');
  if (kept.expiresAt <= deps.clock.now()) {
    throw notFound(`This upload expired at ${kept.expiresAt.toISOString()}. ${SEND_AGAIN}`);
  }
  const source = await deps.uploads.read(actor.customerId, importId);
  if (!source) throw notFound(`This upload is no longer stored. ${SEND_AGAIN}`);
  return { kept, upload: await readUpload(kept.uploadType, source, deps.uploadLimits) };
}

function notFound(detail: string): DomainError {
  return new DomainError('not_found', detail);
}
