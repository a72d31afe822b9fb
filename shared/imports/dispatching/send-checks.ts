import pLimit from 'p-limit';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Row } from '../ledger/row.ts';

const PARALLEL_SENDS_MAX = 32;

/** Sends one check message for each row. */
export async function sendChecks(
  deps: { importQueues: Pick<ImportQueues, 'sendCheck'> },
  record: Import,
  rows: readonly Tagged<Row>[],
  mayHaveLeftovers: (row: Row) => boolean,
): Promise<void> {
  const limit = pLimit(PARALLEL_SENDS_MAX);
  const send = ({ value: row, tag }: Tagged<Row>) =>
    deps.importQueues.sendCheck({
      v: 2,
      customerId: record.customerId,
      connectionId: record.connectionId,
      importId: record.id,
      line: row.line,
      address: row.address,
      rowTag: tag,
      attempt: row.attempt,
      epoch: record.epoch,
      tries: 0,
      ...(mayHaveLeftovers(row) && { mayHaveLeftovers: true as const }),
      ...(row.line === record.canary && { canary: true as const }),
      ...(row.firstDeferredAt && { firstDeferredAt: row.firstDeferredAt }),
      ...(row.priorFindings && { priorFindings: row.priorFindings }),
    });
  await Promise.all(rows.map((row) => limit(send, row)));
}
