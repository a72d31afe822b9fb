import { type Findings, type Probe, probes } from '../../causes/verdict.ts';
import type { ExplainCheckpoint, Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { TallyCounts } from '../ledger/tally.ts';

/** Mailboxes that one step reads, at most. The largest page that storage returns. */
const PAGE_SIZE = 1000;

/**
 * Begins to explain an import's denials: finds out which probes at least one mailbox of the connection passes. Nearly
 * always one passed mailbox tells. If there is none, later steps look at all of them, see `findMorePassedProbes`.
 */
export async function findPassedProbes(
  ledger: Ledger,
  record: Import,
  counts: Pick<TallyCounts, 'failed' | 'passed'>,
): Promise<ExplainCheckpoint | 'done'> {
  if (counts.failed === 0) return 'done';
  const passed =
    counts.passed > 0
      ? await probesOfPassedRow(ledger, record)
      : passedIn(await ledger.findMailboxes(record.connectionId, { limit: 1 }, { status: 'active' }));
  return passed.length > 0 ? { step: 'explain', passed } : { step: 'findPassed', passed };
}

/** One bounded step of the search through all mailboxes. */
export async function findMorePassedProbes(
  ledger: Ledger,
  record: Import,
  { passed: known, cursor }: Extract<ExplainCheckpoint, { step: 'findPassed' }>,
): Promise<ExplainCheckpoint | 'done'> {
  const request = { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) };
  const page = await ledger.findMailboxes(record.connectionId, request, {});
  const passed = [...new Set([...known, ...passedIn(page)])];
  if (page.cursor !== undefined) return { step: 'findPassed', passed, cursor: page.cursor };
  return passed.length > 0 ? { step: 'explain', passed } : 'done';
}

async function probesOfPassedRow(ledger: Ledger, { connectionId, id }: Import): Promise<Probe[]> {
  const [row] = await ledger.findRows(connectionId, id, { fromLine: 0, states: ['passed'], limit: 1 });
  const mailbox = row && (await ledger.getMailbox(connectionId, row.value.address));
  return mailbox ? passedIn({ items: [mailbox] }) : [];
}

function passedIn({ items }: { items: readonly { value: { checks: Findings } }[] }): Probe[] {
  return probes.filter((probe) => items.some(({ value }) => value.checks[probe]?.verdict === 'passed'));
}
