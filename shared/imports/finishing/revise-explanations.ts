import type { CauseCode } from '../../causes/causes.ts';
import { explainDenial, isDenial } from '../../causes/denial.ts';
import { decisiveFinding } from '../../causes/findings.ts';
import { type Findings, type Probe, probes } from '../../causes/verdict.ts';
import type { Page } from '../../kernel/page.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { ExplainCheckpoint, Import } from '../import.ts';
import type { HeldLease } from '../import-lease.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX } from '../ledger/ledger.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

interface ReviseDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
}

/** Mailboxes that one step revises, at most. They fit into one page of storage. */
const STEP_MAX = 20 * PAIRS_MAX;

/**
 * One step of explaining an import's denials again, now that it is known whether other mailboxes of the connection
 * pass. If some pass, the cause is the scope or a policy. If none pass, it is the consent. Changes no verdict, and
 * no count except those of causes. Resolves to where the next step continues, or to `done`.
 *
 * Reads the mailboxes in ranges and not one by one, because a whole import may have failed. Repeatable. A mailbox that
 * another writer changes keeps what it has, and so does its row.
 *
 * @param failed how many rows failed
 */
export async function reviseExplanations(
  deps: ReviseDeps,
  lease: HeldLease,
  { passed, cursor }: Extract<ExplainCheckpoint, { step: 'explain' }>,
  failed: number,
): Promise<ExplainCheckpoint | 'done' | 'lost'> {
  const { record } = lease;
  const { ledger } = deps;
  const page = failed <= PAIRS_MAX ? await readFew(ledger, record) : await readRange(ledger, record, cursor);
  const revised = page.items.flatMap(({ value: mailbox, tag }) => {
    const checks = isOurs(mailbox, record) ? revise(mailbox.checks, new Set(passed)) : undefined;
    return checks ? [{ mailbox, tag, checks }] : [];
  });
  for (let from = 0; from < revised.length; from += PAIRS_MAX) {
    if (!(await lease.keep())) return 'lost';
    const some = revised.slice(from, from + PAIRS_MAX);
    await deps.serialByKey.run(record.connectionId, () => commitExplained(deps, record, some));
  }
  return page.cursor === undefined ? 'done' : { step: 'explain', passed, cursor: page.cursor };
}

interface Revised {
  mailbox: Mailbox;
  tag: string;
  checks: Findings;
}

/**
 * Writes explanations, in one transaction with the tally that counts causes. Leaves out a mailbox that another writer has
 * changed. If the result is unknown, the step is repeated, and finds nothing left to explain where it was committed.
 */
async function commitExplained(deps: ReviseDeps, record: Import, revised: readonly Revised[]): Promise<void> {
  let left = revised;
  while (left.length > 0) {
    const changes = left.flatMap(({ mailbox: { line, address, history }, tag, checks }): LedgerChange[] => {
      const { cause = null, detail = null } = decisiveFinding(checks) ?? {};
      return [
        { op: 'explainRow', importId: record.id, line, cause, detail },
        { op: 'mergeMailbox', address, tag, patch: { checks, ...explainedHistory(history, cause) } },
      ];
    });
    const explained = left
      .map(({ mailbox: { line, address, checks: before }, checks }) => {
        return { line, address, from: decisiveFinding(before)?.cause, to: decisiveFinding(checks)?.cause };
      })
      .filter(({ from, to }) => from !== to);
    const entry = deps.tallies.add(record.id, {}, [], explained);
    const result = await deps.ledger.commit(record.connectionId, [...changes, ...entry.changes]).catch((error) => {
      entry.abandon();
      throw error;
    });
    if (result.committed) {
      entry.committed(result.tags.at(-1) ?? '');
      return;
    }
    const conflicting = left[Math.floor(result.index / 2)];
    if (!conflicting) entry.abandon();
    left = left.filter((one) => one !== conflicting);
  }
}

/** The last verdict is the same, and now has this cause. */
function explainedHistory(history: Mailbox['history'], cause: CauseCode | null): Pick<Mailbox, 'history'> {
  const [last, ...earlier] = history ?? [];
  if (!last) return {};
  const { changedAt, verdict } = last;
  return { history: [{ changedAt, verdict, ...(cause && { cause }) }, ...earlier] };
}

/** The import's failed mailboxes, read one by one. Cheaper than a range while they are few in a large connection. */
async function readFew(ledger: Ledger, { connectionId, id }: Import): Promise<Page<Tagged<Mailbox>>> {
  const rows = await ledger.findRows(connectionId, id, { fromLine: 0, states: ['failed'], limit: PAIRS_MAX });
  const read = await Promise.all(rows.map(({ value }) => ledger.getMailbox(connectionId, value.address)));
  return { items: read.filter((mailbox) => mailbox !== undefined) };
}

function readRange(ledger: Ledger, record: Import, cursor: string | undefined): Promise<Page<Tagged<Mailbox>>> {
  const request = { limit: STEP_MAX, ...(cursor !== undefined && { cursor }) };
  return ledger.findMailboxes(record.connectionId, request, { importId: record.id, status: 'failed' });
}

/**
 * Whether the mailbox still shows this import's result. Another import may have begun to check it again, and a mailbox that
 * is about to be deleted must stay as it is: it is deleted only if nobody changes it.
 */
function isOurs({ importId, openRow, removedBy }: Mailbox, record: Import): boolean {
  return importId === record.id && openRow === undefined && removedBy === undefined;
}

/** Causes that explain the mailbox fully. None of its probes was refused for a missing permission. */
const CERTAIN: ReadonlySet<CauseCode> = new Set([
  'mailbox_not_found',
  'address_is_alias',
  'address_is_group',
  'address_is_contact',
  'address_is_guest',
  'mailbox_disabled',
]);

/** `undefined` if no explanation changes. */
function revise(findings: Findings, passed: ReadonlySet<Probe>): Findings | undefined {
  const cause = decisiveFinding(findings)?.cause;
  if (cause === undefined || CERTAIN.has(cause)) return undefined;
  let isChanged = false;
  const revised: Findings = { ...findings };
  for (const probe of probes) {
    const finding = findings[probe];
    if (!finding || !isDenial(finding)) continue;
    const cause = explainDenial(finding.denial, passed.has(probe));
    if (cause === finding.cause) continue;
    const { detail: _outdated, ...rest } = finding;
    revised[probe] = { ...rest, cause };
    isChanged = true;
  }
  return isChanged ? revised : undefined;
}
