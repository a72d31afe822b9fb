import type { z } from 'zod';
import type { ImportFinding } from '../../shared/imports/import.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import type { Progress } from '../../shared/imports/progress.ts';
import type { importSchema, rowSchema } from './import-schemas.ts';

/** An import and its counts, as the API shows them. */
export function presentProgress({
  record,
  counts,
  findingCounts,
  percent,
  secondsLeft,
}: Progress): z.infer<typeof importSchema> {
  return {
    id: record.id,
    connectionId: record.connectionId,
    status: record.status,
    counts,
    findingCounts,
    percent,
    secondsLeft,
    createdAt: record.createdAt.toISOString(),
    startedAt: record.startedAt?.toISOString() ?? null,
    finishedAt: record.finishedAt?.toISOString() ?? null,
    finding: record.finding ? presentImportFinding(record.finding) : null,
    ...(record.columns && { columns: record.columns }),
    ...(record.retryOf !== undefined && { retryOf: record.retryOf }),
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

/** One line of an import, as the API shows it. */
export function presentRow(row: Row): z.infer<typeof rowSchema> {
  return {
    line: row.line,
    address: row.address,
    state: row.state,
    ...(HAS_MAILBOX.has(row.state) && { mailbox: row.address }),
    ...(row.code !== undefined && { code: row.code }),
    ...(row.message !== undefined && { message: row.message }),
    ...(row.firstLine !== undefined && { firstLine: row.firstLine }),
    ...(row.suggestion !== undefined && { suggestion: row.suggestion }),
    ...(row.cause !== undefined && { cause: row.cause }),
    ...(row.requestId !== undefined && { requestId: row.requestId }),
    ...(row.nextCheckAt !== undefined && { nextCheckAt: row.nextCheckAt.toISOString() }),
    ...(row.reference !== undefined && { reference: row.reference }),
  };
}
