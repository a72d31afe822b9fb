import pLimit from 'p-limit';
import { isTransient } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import { keepsStatus, type Row } from '../ledger/row.ts';

const PARALLEL_SENDS_MAX = 32;
/** Messages of one tick go out in portions at least this far apart. */
const PORTION_MS = 50;

export interface CheckToSend extends Tagged<Row> {
  isResent?: true;
  isProbe?: true;
}

interface SendDeps {
  importQueues: Pick<ImportQueues, 'sendCheck'>;
  clock: { now(): Date };
  sleep: (ms: number) => Promise<void>;
}

/** What all messages of one tick say. */
interface Circumstances {
  record: Import;
  generation: number;
  /** The tenant refuses some requests at any pace. */
  expectsRefusals: boolean;
  quietUntil?: Date;
  /** When the mailbox of the next message may be asked, if that is not immediately. */
  nextAskAt: (now: number) => Date | undefined;
}

/**
 * Sends one check message for each row, spread evenly over the time until `endsAt`.
 *
 * A message that could not be sent counts as lost: its row is pending, and its batch finds it.
 */
export async function sendChecks(
  deps: SendDeps,
  circumstances: Circumstances,
  checks: readonly CheckToSend[],
  endsAt: number,
): Promise<void> {
  const limit = pLimit(PARALLEL_SENDS_MAX);
  const startsAt = deps.clock.now().getTime();
  const spanMs = Math.max(0, endsAt - startsAt);
  const portions = Math.max(1, Math.min(checks.length, Math.floor(spanMs / PORTION_MS)));
  for (let i = 0; i < portions; i++) {
    const waitMs = startsAt + (i * spanMs) / portions - deps.clock.now().getTime();
    if (waitMs > 0) await deps.sleep(waitMs);
    const from = Math.floor((i * checks.length) / portions);
    const to = Math.floor(((i + 1) * checks.length) / portions);
    const send = (check: CheckToSend) => sendCheck(deps, circumstances, check);
    await Promise.all(checks.slice(from, to).map((check) => limit(send, check)));
  }
}

async function sendCheck(
  { importQueues, clock }: SendDeps,
  { record, generation, expectsRefusals, quietUntil, nextAskAt }: Circumstances,
  { value: row, tag, isResent, isProbe }: CheckToSend,
): Promise<void> {
  const sentAt = clock.now();
  const askAt = isProbe ? undefined : nextAskAt(sentAt.getTime());
  try {
    await importQueues.sendCheck({
      v: 2,
      customerId: record.customerId,
      connectionId: record.connectionId,
      importId: record.id,
      line: row.line,
      address: row.address,
      rowTag: tag,
      attempt: row.attempt,
      epoch: record.epoch,
      generation,
      sentAt,
      ...(askAt && { askAt }),
      tries: row.tries ?? 0,
      ...(row.mayHaveLeftovers && { mayHaveLeftovers: true as const }),
      ...(isResent && { isResent }),
      ...(isProbe && { isProbe }),
      ...(expectsRefusals && { expectsRefusals }),
      ...(row.line === record.canary && { canary: true as const }),
      ...(quietUntil && { quietUntil }),
      ...(row.firstDeferredAt && { firstDeferredAt: row.firstDeferredAt }),
      ...(row.priorFindings && { priorFindings: row.priorFindings }),
      ...(row.priorKind && { priorKind: row.priorKind }),
      ...(row.historyBefore && { historyBefore: [...row.historyBefore] }),
      ...(row.priorIdentity && { priorIdentity: row.priorIdentity }),
      ...(row.knownAs && { knownAs: row.knownAs }),
      ...(keepsStatus(row) && { keepsStatus: true as const }),
    });
  } catch (error) {
    if (!isTransient(error)) throw error;
  }
}
