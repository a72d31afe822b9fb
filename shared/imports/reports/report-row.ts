import type { CauseCode } from '../../causes/causes.ts';
import { explain } from '../../causes/explain.ts';
import { decisiveProbe } from '../../causes/findings.ts';
import type { Probe, Verdict } from '../../causes/verdict.ts';
import type { Row, RowState } from '../ledger/row.ts';

/** One row of an import, explained for the person who reads the report. */
export interface ReportRow {
  line: number;
  address: string;
  state: RowState;
  /** The address of the mailbox that the row became. */
  mailbox?: string;
  verdicts: Partial<Record<Probe, Verdict>>;
  cause?: CauseCode;
  /** Why the row was rejected or is a duplicate. */
  code?: string;
  /** What is wrong, in a sentence or two. */
  problem?: string;
  fix?: string;
  link?: string;
  microsoftCode?: string;
  requestId?: string;
  checkedAt?: Date;
  nextCheckAt?: Date;
  displayName?: string;
  /** A text if the row was rejected: it may be anything. */
  dailyLimit?: number | string;
  reference?: string;
}

const CANCELLED = 'The import was cancelled, or the mailbox was removed, before this mailbox had a verdict.';
const IMPORT_AGAIN = 'If you still need the mailbox, import it again.';

const HAS_MAILBOX: ReadonlySet<RowState> = new Set(['pending', 'waiting', 'passed', 'failed', 'inconclusive']);
/** A row in another state may still have the cause of an earlier wait. */
const HAS_CAUSE: ReadonlySet<RowState> = new Set(['waiting', 'failed', 'inconclusive']);

/** Sentence, fix and link come from today's catalogue of causes, except for what was said about this mailbox alone. */
export function toReportRow(row: Row): ReportRow {
  const { line, address, state, verdicts = {}, requestId, checkedAt, nextCheckAt, displayName, reference } = row;
  const dailyLimit = row.dailyLimit ?? row.dailyLimitAsSent;
  return {
    line,
    address,
    state,
    ...(HAS_MAILBOX.has(state) && { mailbox: address }),
    verdicts,
    ...explainRow(row),
    ...(requestId !== undefined && { requestId }),
    ...(checkedAt && { checkedAt }),
    ...(nextCheckAt && { nextCheckAt }),
    ...(displayName !== undefined && { displayName }),
    ...(dailyLimit !== undefined && { dailyLimit }),
    ...(reference !== undefined && { reference }),
  };
}

function explainRow(row: Row): Pick<ReportRow, 'cause' | 'code' | 'problem' | 'fix' | 'link' | 'microsoftCode'> {
  const { state, code, message, detail, microsoftCode, verdicts = {} } = row;
  if (state === 'cancelled') return { problem: CANCELLED, fix: IMPORT_AGAIN };
  if (row.cause !== undefined && HAS_CAUSE.has(state)) {
    const probe = decisiveProbe(verdicts);
    const { sentence, fix, link } = explain(row.cause, { probes: probe && [probe] });
    const problem = detail ?? sentence;
    return { cause: row.cause, problem, fix, link, ...(microsoftCode !== undefined && { microsoftCode }) };
  }
  const problem = message ?? (state === 'passed' ? detail : undefined);
  return { ...(code !== undefined && { code }), ...(problem !== undefined && { problem }) };
}
