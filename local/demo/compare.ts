import type { Expected } from './expectations.ts';
import type { Progress } from './progress.ts';
import { causeOf, type ShownMailbox } from './report.ts';

/** Where what Muster says differs from what the tenant was made to give: one sentence for each mailbox. */
export function differences(expected: readonly Expected[], mailboxes: readonly ShownMailbox[]): string[] {
  const found = new Map(mailboxes.map((mailbox) => [mailbox.address, mailbox]));
  const wrong: string[] = [];
  for (const { address, verdicts, cause } of expected) {
    const mailbox = found.get(address);
    if (!mailbox) {
      wrong.push(`${address}: no verdict at all`);
      continue;
    }
    for (const [probe, verdict] of Object.entries(verdicts)) {
      const said = mailbox.checks[probe]?.verdict ?? 'nothing';
      if (said !== verdict) wrong.push(`${address}: ${probe} is ${verdict}, Muster says ${said}`);
    }
    const saidCause = causeOf(mailbox.checks);
    if (saidCause !== cause)
      wrong.push(`${address}: the cause is ${cause ?? 'none'}, Muster says ${saidCause ?? 'none'}`);
  }
  return wrong;
}

/** Where the counts of an ended import differ from its rows, or do not add up. */
export function countFaults({ status, counts }: Progress, rows: readonly { line: number; state: string }[]): string[] {
  const faults: string[] = [];
  if (status !== 'completed') faults.push(`the import ended as ${status}`);
  if (rows.length !== counts.rows) faults.push(`${counts.rows} rows are counted, ${rows.length} are there`);
  if (new Set(rows.map(({ line }) => line)).size !== rows.length) faults.push('a line of the file has two rows');
  const ended = counts.passed + counts.failed + counts.inconclusive;
  if (ended !== counts.accepted) faults.push(`${counts.accepted} rows were accepted, ${ended} have a verdict`);
  const states = { ...counts, duplicate: counts.duplicates };
  for (const state of ['passed', 'failed', 'inconclusive', 'rejected', 'duplicate'] as const) {
    const there = rows.filter((row) => row.state === state).length;
    if (there !== states[state]) faults.push(`${states[state]} rows are counted as ${state}, ${there} are`);
  }
  return faults;
}
