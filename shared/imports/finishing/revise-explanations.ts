import type { CauseCode } from '../../causes/causes.ts';
import { explainDenial, isDenial } from '../../causes/denial.ts';
import { type Findings, type Probe, probes } from '../../causes/verdict.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import { decisiveFinding } from '../checking/row-result.ts';
import type { Import } from '../import.ts';
import { commitPairs, PAIRS_MAX } from '../ledger/commit-pairs.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';

/**
 * Explains an import's plain denials once more, now that it is known whether other mailboxes of the connection pass:
 * with some that do it is the scope or a policy, with none the consent. No verdict changes, and no count.
 *
 * Repeatable; a row or mailbox that changes meanwhile keeps what it has.
 */
export async function reviseExplanations(deps: { ledger: Ledger }, record: Import): Promise<void> {
  let passed: ReadonlySet<Probe> | undefined;
  for (let fromLine = 0; ; ) {
    const rows = await deps.ledger.findRows(record.connectionId, record.id, {
      fromLine,
      states: ['failed'],
      limit: PAIRS_MAX,
    });
    const last = rows.at(-1);
    if (!last) return;
    fromLine = last.value.line + 1;
    const doubtful = rows.filter(({ value: { cause } }) => cause !== undefined && !CERTAIN.has(cause));
    if (doubtful.length === 0) continue;
    passed ??= await passedAnywhere(deps.ledger, record.connectionId);
    await explainTogether(deps.ledger, record, doubtful, passed);
  }
}

/** Causes that say all there is to say about a mailbox: no probe of it was refused for want of a permission. */
const CERTAIN: ReadonlySet<CauseCode> = new Set([
  'mailbox_not_found',
  'address_is_alias',
  'address_is_group',
  'address_is_contact',
  'address_is_guest',
  'mailbox_disabled',
]);

/** The probes that some mailbox of the connection passes. */
async function passedAnywhere(ledger: Ledger, connectionId: string): Promise<ReadonlySet<Probe>> {
  const [active] = (await ledger.listMailboxes(connectionId, { limit: 1 }, 'active')).items;
  const passed = new Set(active ? passedIn(active.checks) : []);
  if (passed.size > 0) return passed;
  for await (const { value } of ledger.eachMailbox(connectionId)) {
    for (const probe of passedIn(value.checks)) passed.add(probe);
  }
  return passed;
}

function passedIn(findings: Findings): Probe[] {
  return probes.filter((probe) => findings[probe]?.verdict === 'passed');
}

async function explainTogether(
  ledger: Ledger,
  record: Import,
  rows: readonly Tagged<Row>[],
  passed: ReadonlySet<Probe>,
): Promise<void> {
  const read = await Promise.all(rows.map((row) => ledger.getMailbox(record.connectionId, row.value.address)));
  const stale = rows.flatMap(({ value: row, tag }, i) => {
    const mailbox = read[i];
    if (!mailbox || mailbox.value.importId !== record.id || mailbox.value.open !== undefined) return [];
    const checks = explainAgain(mailbox.value.checks, passed);
    if (!checks) return [];
    return [{ row, tag, checks, mailboxTag: mailbox.tag }];
  });
  await commitPairs(ledger, record.connectionId, stale, ({ row, tag, checks, mailboxTag }) => [
    {
      op: 'mergeRow',
      importId: row.importId,
      line: row.line,
      tag,
      patch: { cause: decisiveFinding(checks)?.cause ?? null },
    },
    { op: 'mergeMailbox', address: row.address, tag: mailboxTag, patch: { checks } },
  ]);
}

/** `undefined` when the explanations stay as they are. */
function explainAgain(findings: Findings, passed: ReadonlySet<Probe>): Findings | undefined {
  let isChanged = false;
  const explained: Findings = { ...findings };
  for (const probe of probes) {
    const finding = findings[probe];
    if (!finding || !isDenial(finding)) continue;
    const cause = explainDenial(finding.denial, passed.has(probe));
    if (cause === finding.cause) continue;
    const { detail: _stale, ...rest } = finding;
    explained[probe] = { ...rest, cause };
    isChanged = true;
  }
  return isChanged ? explained : undefined;
}
