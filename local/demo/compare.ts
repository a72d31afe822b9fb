import type { Expected } from './expectations.ts';
import type { Progress } from './progress.ts';
import { explainedCheck, type ShownMailbox } from './shown-mailbox.ts';

/** Where Muster's verdicts differ from how the simulated tenant was set up: one sentence for each difference. */
export function differences(expected: readonly Expected[], mailboxes: readonly ShownMailbox[]): string[] {
  const found = new Map(mailboxes.map((mailbox) => [mailbox.address, mailbox]));
  const wrong: string[] = [];
  for (const { address, verdicts, cause } of expected) {
    const mailbox = found.get(address);
    if (!mailbox) {
      wrong.push(`${address}: has no verdict`);
      continue;
    }
    for (const [probe, verdict] of Object.entries(verdicts)) {
      const said = mailbox.checks[probe]?.verdict ?? 'no verdict';
      if (said !== verdict) wrong.push(`${address}: expected ${probe} to be ${verdict}, Muster says ${said}`);
    }
    const saidCause = explainedCheck(mailbox)?.cause;
    if (saidCause !== cause) {
      wrong.push(`${address}: expected the cause ${cause ?? 'none'}, Muster says ${saidCause ?? 'none'}`);
    }
  }
  return wrong;
}

/** Where the counts of a finished import differ from its rows or do not add up. */
export function countFaults({ status, counts }: Progress, rows: readonly { line: number; state: string }[]): string[] {
  const faults: string[] = [];
  if (status !== 'completed') faults.push(`the import ended as ${status}`);
  if (rows.length !== counts.rows) faults.push(`the import counts ${counts.rows} rows but has ${rows.length}`);
  if (new Set(rows.map(({ line }) => line)).size !== rows.length) faults.push('a line of the file has two rows');
  const ended = counts.passed + counts.failed + counts.inconclusive;
  if (ended !== counts.accepted)
    faults.push(`the import accepted ${counts.accepted} rows, but ${ended} have a verdict`);
  const states = { ...counts, duplicate: counts.duplicates };
  for (const state of ['passed', 'failed', 'inconclusive', 'rejected', 'duplicate'] as const) {
    const actual = rows.filter((row) => row.state === state).length;
    if (actual !== states[state]) faults.push(`the import counts ${states[state]} rows as ${state}, but ${actual} are`);
  }
  return faults;
}
