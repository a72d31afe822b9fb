import type { CauseCode } from '../../causes/causes.ts';
import type { Connection } from '../../connections/connection.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type Import, isEnded } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';
import { requireRows } from '../require-import.ts';
import { writeNdjsonRows } from '../upload/ndjson-rows.ts';
import { uploadTypes } from '../upload/read-upload.ts';
import { type UploadLeaseDeps, withUploadLease } from '../upload/with-upload-lease.ts';
import { type StartDeps, startImport } from './start-import.ts';

type RetryDeps = StartDeps & UploadLeaseDeps;

/** The largest page that storage returns. */
const PAGE_SIZE = 1000;

/**
 * Starts a new import of the rows of an ended one that failed or were inconclusive, with their names, limits and
 * references. The rows are streamed into a stored upload, so that a retry is planned like any other import. A mailbox that
 * was connected in the meantime becomes a duplicate.
 *
 * Repeatable with the same `newId`, as `startImport` is: the rows of an ended import do not change.
 *
 * @param connection must be `ready`
 * @param causes only rows with one of these causes; by default all
 * @throws DomainError `nothing_to_retry`, `gone`, `upload_in_progress`, and what `startImport` throws
 */
export async function retryFailed(
  deps: RetryDeps,
  actor: CustomerActor,
  connection: Connection,
  first: Import,
  causes?: readonly CauseCode[],
): Promise<Import> {
  if (countToRetry(first) === 0) throw nothingToRetry();
  requireRows(first);
  const rows = findToRetry(deps.ledger, first, causes);
  // A connection may receive one file at a time. A retry can be as large.
  return withUploadLease(deps, connection, writeNdjsonRows(rows), async (bytes) => {
    const upload = { type: uploadTypes.ndjson, bytes };
    return startImport(deps, actor, connection, upload, { retryOf: first.id }).catch((error: unknown) => {
      throw error instanceof DomainError && error.code === 'file_empty' ? nothingToRetry(causes) : error;
    });
  });
}

/**
 * Refuses to retry an import that is still working on its rows.
 *
 * @throws DomainError `wrong_state`
 */
export function requireEnded({ status }: Import): void {
  if (isEnded(status)) return;
  throw new DomainError(
    'wrong_state',
    `You cannot retry the failed rows of an import that is ${status}. Wait until it has ended, or cancel it.`,
  );
}

function countToRetry({ counts }: Import): number {
  return (counts?.failed ?? 0) + (counts?.inconclusive ?? 0);
}

/** Reads one page at a time, when the reader asks for it, up to the last row that the import has counted. */
async function* findToRetry(
  ledger: Pick<Ledger, 'findRows'>,
  record: Import,
  causes: readonly CauseCode[] | undefined,
): AsyncGenerator<Row> {
  const isWanted = ({ cause }: Row) => causes === undefined || (cause !== undefined && causes.includes(cause));
  for (let fromLine = 0, left = countToRetry(record); left > 0; ) {
    const limit = Math.min(PAGE_SIZE, left);
    const query = { fromLine, states: ['failed', 'inconclusive'] as const, limit };
    const rows = await ledger.findRows(record.connectionId, record.id, query);
    for (const { value } of rows) if (isWanted(value)) yield value;
    const last = rows.at(-1);
    if (!last || rows.length < limit) return;
    left -= rows.length;
    fromLine = last.value.line + 1;
  }
}

function nothingToRetry(causes?: readonly CauseCode[]): DomainError {
  const detail = causes
    ? `No row of this import failed or was inconclusive with the cause ${causes.join(' or ')}. Leave out \`causes\` to retry all.`
    : 'No row of this import failed or was inconclusive, so there is nothing to check again.';
  return new DomainError('nothing_to_retry', detail);
}
