import type { Expected } from '../microsoft365/demo-expectations.ts';
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
