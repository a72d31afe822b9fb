import { explainedCheck, type ShownCheck, type ShownMailbox } from './shown-mailbox.ts';
import { styled, TERMINAL_WIDTH, wrapShort } from './terminal-text.ts';

const ROWS_MAX = 40;
const FIX_LINES_MAX = 2;

const MARKS: Record<string, string> = {
  passed: styled('green', '✓'),
  failed: styled('red', '✗'),
  inconclusive: styled('yellow', '?'),
  skipped: styled('gray', '-'),
};
const LEGEND = `${MARKS.passed} passed   ${MARKS.failed} failed   ${MARKS.inconclusive} inconclusive`;

/**
 * The rows of the demo's table, heading first. Each shows whether the product may write to the mailbox and send from it.
 * If it may not, the row also shows the cause. Mailboxes with the same cause are together, and the first of them shows
 * the fix. Ordinary mailboxes that passed are only counted.
 */
export function mailboxTable(mailboxes: readonly ShownMailbox[]): string[] {
  const listed = mailboxes.filter((mailbox) => !isOrdinaryPass(mailbox)).sort(byCause);
  const addressWidth = Math.max(10, ...listed.map(({ address }) => address.length));
  const row = (address: string, write: string, send: string, rest: string) =>
    `  ${address.padEnd(addressWidth)}  ${write}  ${send}  ${rest}`.trimEnd();
  const indent = row('', ' '.repeat(5), ' '.repeat(4), '|').length - 1;

  const rows = [styled('bold', row('MAILBOX', 'WRITE', 'SEND', 'CAUSE AND FIX'))];
  let previousCause: string | undefined;
  for (const mailbox of listed.slice(0, ROWS_MAX)) {
    const { address, kind, checks } = mailbox;
    const { cause, fix = '' } = explainedCheck(mailbox) ?? {};
    const reason = cause === undefined ? styled('gray', `${kind} mailbox`) : styled('cyan', cause);
    const lines = [row(address, `  ${mark(checks['graph.readWrite'])}  `, ` ${mark(checks['graph.send'])}  `, reason)];
    if (cause !== undefined && cause !== previousCause) {
      const fixLines = wrapShort(fix, TERMINAL_WIDTH - indent, FIX_LINES_MAX);
      lines.push(...fixLines.map((line) => ' '.repeat(indent) + line));
    }
    rows.push(lines.join('\n'));
    previousCause = cause;
  }
  if (listed.length > ROWS_MAX) rows.push(`  … and ${listed.length - ROWS_MAX} more`);
  return rows;
}

/** The line below the table: what its marks mean, and how many mailboxes it leaves out. */
export function mailboxSummary(mailboxes: readonly ShownMailbox[]): string {
  const count = mailboxes.filter(isOrdinaryPass).length;
  return `  ${LEGEND}   ${count} more ${count === 1 ? 'mailbox' : 'mailboxes'} passed both checks`;
}

function isOrdinaryPass({ status, kind }: ShownMailbox): boolean {
  return status === 'active' && (kind === 'user' || kind === 'unknown');
}

/** Failed before inconclusive before passed, then by cause and address. */
function byCause(a: ShownMailbox, b: ShownMailbox): number {
  return sortKey(a) < sortKey(b) ? -1 : 1;
}

function sortKey(mailbox: ShownMailbox): string {
  const verdicts = Object.values(mailbox.checks).map((check) => check?.verdict);
  const rank = ['failed', 'inconclusive'].findIndex((verdict) => verdicts.includes(verdict));
  return `${rank === -1 ? 2 : rank} ${explainedCheck(mailbox)?.cause ?? ''} ${mailbox.address}`;
}

function mark(check: ShownCheck | undefined): string {
  return check ? (MARKS[check.verdict] ?? check.verdict) : ' ';
}
