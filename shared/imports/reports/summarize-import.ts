import type { Cause } from '../../causes/cause.ts';
import { type CauseCode, causes } from '../../causes/causes.ts';
import { isExplanation } from '../../causes/denial.ts';
import { type Import, isEnded } from '../import.ts';
import { type CauseExample, EXAMPLES_MAX, sumCauses } from '../ledger/cause-tally.ts';
import { type Counts, countRows } from '../ledger/counts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { FindingExample, PlanRecord } from '../ledger/plan-record.ts';
import { sumTallies } from '../ledger/tally.ts';
import { requireRows } from '../require-import.ts';
import { type RowFindingCode, rowFindingCodes } from '../upload/row-findings.ts';
import { findingTexts } from './finding-texts.ts';
import { rowsGone } from './write-report.ts';

/** How many examples of a cause are looked up. Some of them may have another cause now. */
const LOOKED_UP_MAX = 2 * EXAMPLES_MAX;

/** The mailboxes with one cause. */
export interface CauseGroup {
  cause: CauseCode;
  mailboxes: number;
  /** Up to five addresses. */
  examples: string[];
}

/** The rows of the file with one finding. */
export interface FindingGroup {
  code: RowFindingCode;
  rows: number;
  /** Up to five rows. */
  examples: readonly FindingExample[];
}

/** What is left to do after an import, in the order in which to do it. */
export interface ImportSummary {
  record: Import;
  counts: Counts;
  causes: CauseGroup[];
  findings: FindingGroup[];
}

/**
 * Sums up an import for a person: each cause once, with the number of its mailboxes and some of them. What concerns the
 * whole connection comes first, then what somebody can fix, and what takes only time comes last. Among them, the fix that
 * helps most mailboxes comes first.
 *
 * Costs the plan and one range over the tallies, whatever the size of the import, and up to 50 rows: the explanation of a
 * denial is revised at the end, so its examples are looked up.
 *
 * @throws DomainError `gone` if the rows of the import have been deleted
 */
export async function summarizeImport(
  { ledger }: { ledger: Pick<Ledger, 'getPlan' | 'listTallies' | 'getRow'> },
  record: Import,
): Promise<ImportSummary> {
  requireRows(record);
  const { connectionId, id } = record;
  const [plan, tallies] = await Promise.all([ledger.getPlan(connectionId, id), ledger.listTallies(connectionId, id)]);
  if (!plan && isEnded(record.status) && (record.counts?.rows ?? 0) > 0) throw rowsGone();
  const groups = await Promise.all(
    Object.entries(sumCauses(tallies.map(({ causes }) => causes)))
      .map(([cause, tally]) => ({ cause: cause as CauseCode, ...tally }))
      .filter(({ count }) => count > 0)
      .map(async ({ cause, count, examples }) => ({
        cause,
        mailboxes: count,
        examples: await pickExamples(ledger, record, cause, examples),
      })),
  );
  return {
    record,
    counts: record.counts ?? countRows(plan?.value, sumTallies(tallies), record.uploadedRows),
    causes: groups.toSorted(compareCauses),
    findings: groupFindings(plan?.value),
  };
}

async function pickExamples(
  ledger: Pick<Ledger, 'getRow'>,
  { connectionId, id, status }: Import,
  cause: CauseCode,
  examples: readonly CauseExample[],
): Promise<string[]> {
  const sorted = examples.toSorted((a, b) => a.line - b.line);
  const mayBeOutdated = isEnded(status) && isExplanation(cause);
  if (!mayBeOutdated) return sorted.slice(0, EXAMPLES_MAX).map(({ address }) => address);
  const some = sorted.slice(0, LOOKED_UP_MAX);
  const rows = await Promise.all(some.map(({ line }) => ledger.getRow(connectionId, id, line)));
  const current = some.filter((_, i) => rows[i]?.value.cause === cause);
  return current.slice(0, EXAMPLES_MAX).map(({ address }) => address);
}

/** What the reader can fix comes before what only we can fix, and that before what only takes time. */
const ranks: Record<Cause['whoCanFix'], number> = { admin: 0, mailboxOwner: 0, us: 1, time: 2 };
const rankOf = (cause: CauseCode) =>
  ranks[causes[cause].whoCanFix] + (causes[cause].concerns === 'connection' ? 0 : 10);

function compareCauses(a: CauseGroup, b: CauseGroup): number {
  return rankOf(a.cause) - rankOf(b.cause) || b.mailboxes - a.mailboxes || a.cause.localeCompare(b.cause);
}

/** Rejected rows first, because they need a correction, then warnings, then duplicates; the most frequent first. */
const resultOrder = ['rejected', 'accepted', 'duplicate'] as const;

function groupFindings(plan: PlanRecord | undefined): FindingGroup[] {
  const { findingCounts = {}, findingExamples = {} } = plan ?? {};
  const groups = rowFindingCodes.map((code) => ({
    code,
    rows: findingCounts[code] ?? 0,
    examples: findingExamples[code] ?? [],
  }));
  const orderOf = ({ code }: FindingGroup) => resultOrder.indexOf(findingTexts[code].result);
  return groups.filter(({ rows }) => rows > 0).toSorted((a, b) => orderOf(a) - orderOf(b) || b.rows - a.rows);
}
