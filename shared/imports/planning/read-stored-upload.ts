import type { ConnectionStore } from '../../connections/connection-store.ts';
import { createDomainJudge, judgeRows } from '../domains/judge-domain.ts';
import type { Import } from '../import.ts';
import type { ParsedUpload } from '../upload/parsed-row.ts';
import { readUpload } from '../upload/read-upload.ts';
import type { UploadLimits } from '../upload/upload-limits.ts';
import type { UploadStore } from '../upload/upload-store.ts';

interface Deps {
  uploads: Pick<UploadStore, 'read'>;
  connections: Pick<ConnectionStore, 'get'>;
  uploadLimits: UploadLimits;
}

/**
 * Reads an import's upload from the first line after `afterLine`, and judges the domains by what the connection knows of
 * its tenant now. Resolves to `undefined` if the upload is gone.
 */
export async function readStoredUpload(
  deps: Deps,
  record: Import,
  afterLine: number,
): Promise<ParsedUpload | undefined> {
  const connection = await deps.connections.get(record.customerId, record.connectionId);
  const source = await deps.uploads.read(record.customerId, record.id);
  if (!source) return undefined;
  const upload = await readUpload(record.uploadType, source, deps.uploadLimits, afterLine);
  // The addresses of an action are mailboxes that the connection has.
  if (record.action) return upload;
  return judgeRows(upload, createDomainJudge(connection?.value ?? {}));
}
