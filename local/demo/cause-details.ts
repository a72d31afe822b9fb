import { explainedCheck, type ShownCheck, type ShownMailbox } from './shown-mailbox.ts';
import { indented, styled } from './terminal-text.ts';

/** Each cause that occurred: in how many mailboxes, what it means, and how to fix it. */
export function causeDetails(mailboxes: readonly ShownMailbox[]): string {
  const byCause = new Map<string, { check: ShownCheck; count: number }>();
  for (const mailbox of mailboxes) {
    const check = explainedCheck(mailbox);
    if (check) byCause.set(check.cause, { check, count: (byCause.get(check.cause)?.count ?? 0) + 1 });
  }
  return [...byCause]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([cause, { check, count }]) => {
      const heading = `  ${styled('cyan', cause)} (${count} ${count === 1 ? 'mailbox' : 'mailboxes'})`;
      return `${heading}\n${explanation(check)}`;
    })
    .join('\n');
}

/** What a finding means and how to fix it, indented below its heading. */
export function explanation({ detail = '', fix = '' }: Pick<ShownCheck, 'detail' | 'fix'>): string {
  return [indented(detail, '    '), indented(`→ ${fix}`, '    ')].join('\n');
}
