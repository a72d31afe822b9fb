import type { z } from 'zod';
import type { Import, ImportFinding } from '../../../shared/imports/import.ts';
import { isSettled, type Row } from '../../../shared/imports/ledger/row.ts';
import type { Progress } from '../../../shared/imports/progress/progress.ts';
import type { KeptPreview } from '../../../shared/imports/starting/preview-import.ts';
import { uploadIdOf } from '../../../shared/imports/upload/kept-upload.ts';
import type { importSchema, previewSchema, rowSchema } from './import-schemas.ts';

/** An import and its counts, as the API shows them. */
export function presentProgress({
  record,
  counts,
  findingCounts,
  percent,
  secondsLeft,
  waitingFor,
}: Progress): z.infer<typeof importSchema> {
  return {
    id: record.id,
    connectionId: record.connectionId,
    status: record.status,
    counts,
    findingCounts,
    percent,
    secondsLeft,
    waitingFor: waitingFor && { ...waitingFor, until: waitingFor.until?.toISOString() ?? null },
    createdAt: record.createdAt.toISOString(),
    startedAt: record.startedAt?.toISOString() ?? null,
    finishedAt: record.finishedAt?.toISOString() ?? null,
    uploadExpiresAt: record.uploadExpiresAt?.toISOString() ?? null,
    rowsExpireAt: record.rowsExpireAt?.toISOString() ?? null,
    finding: record.finding ? presentImportFinding(record.finding) : null,
    ...(record.columns && { columns: record.columns }),
    ...(record.selection && { selection: record.selection }),
    ...(record.retryOf !== undefined && { retryOf: record.retryOf }),
  };
}

/** What an import would do, and the upload that was kept, as the API shows them. */
export function presentPreview({ preview, kept }: KeptPreview): z.infer<typeof previewSchema> {
  return {
    rows: preview.rows,
    accepted: preview.accepted,
    rejected: preview.rejected,
    duplicates: preview.duplicates,
    slots: preview.slots,
    columns: preview.columns,
    findings: preview.findings,
    findingsOmitted: preview.findingsOmitted,
    findingCounts: preview.findingCounts,
    sample: preview.sample,
    uploadId: kept ? uploadIdOf(kept.importId) : null,
    expiresAt: kept?.expiresAt.toISOString() ?? null,
  };
}

export function presentImportFinding(finding: ImportFinding) {
  const { code: cause, detail, fix, link, microsoftCode, requestId, seenAt } = finding;
  return {
    cause,
    detail,
    ...(fix !== undefined && { fix }),
    ...(link !== undefined && { link }),
    ...(microsoftCode !== undefined && { microsoftCode }),
    ...(requestId !== undefined && { requestId }),
    seenAt: seenAt.toISOString(),
  };
}

const HAS_MAILBOX: ReadonlySet<Row['state']> = new Set(['pending', 'waiting', 'passed', 'failed', 'inconclusive']);

/**
 * One line of an import, as the API shows it.
 *
 * @param within the import. While it waits for Microsoft, no row is checked earlier
 */
export function presentRow(row: Row, within: Pick<Import, 'status' | 'waitingFor'>): z.infer<typeof rowSchema> {
  const message = row.message ?? (isSettled(row.state) ? row.detail : undefined) ?? messageOfWait(row);
  const nextCheckAt = nextCheckOf(row, within);
  return {
    line: row.line,
    address: row.address,
    state: row.state,
    ...(HAS_MAILBOX.has(row.state) && { mailbox: row.address }),
    ...(row.code !== undefined && { code: row.code }),
    ...(message !== undefined && { message }),
    ...(row.firstLine !== undefined && { firstLine: row.firstLine }),
    ...(row.suggestion !== undefined && { suggestion: row.suggestion }),
    // A row that is asked again keeps the cause of its last wait until it has a result.
    ...(row.cause !== undefined && row.state !== 'pending' && { cause: row.cause }),
    ...(row.requestId !== undefined && { requestId: row.requestId }),
    ...(nextCheckAt && { nextCheckAt: nextCheckAt.toISOString() }),
    ...(row.reference !== undefined && { reference: row.reference }),
  };
}

function nextCheckOf({ state, cause, nextCheckAt }: Row, within: Pick<Import, 'status' | 'waitingFor'>) {
  const until = within.status === 'running' ? within.waitingFor?.until : undefined;
  const waitsForMicrosoft = state === 'waiting' && (cause === 'throttled' || cause === 'microsoft_unavailable');
  return nextCheckAt && until && waitsForMicrosoft && until > nextCheckAt ? until : nextCheckAt;
}

/** Why a row waits that has no cause. */
function messageOfWait({ state, cause, heldAt }: Row): string | undefined {
  if (state !== 'waiting' || cause !== undefined) return undefined;
  return heldAt
    ? 'Microsoft refused this mailbox. We are finding out whether it refuses all mailboxes of the connection.'
    : 'One of our services is unavailable. We check this mailbox as soon as possible.';
}
