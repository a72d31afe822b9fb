import type { CauseCode } from '../../causes/causes.ts';
import { explainDenial, isDenial } from '../../causes/denial.ts';
import { decisiveFinding } from '../../causes/findings.ts';
import { type Findings, type Probe, probes } from '../../causes/verdict.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { commitPairs } from '../ledger/commit-pairs.ts';
import { type Ledger, PAIRS_MAX } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';

/**
 * Explains an import's denials again, now that it is known whether other mailboxes of the connection pass. If some
 * pass, the cause is the scope or a policy. If none pass, it is the consent. Changes no verdict and no count.
 *
 * Repeatable. A row or mailbox that another writer changes keeps what it has.
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
    passed ??= await probesPassedAnywhere(deps.ledger, record.connectionId);
    await reviseTogether(deps.ledger, record, doubtful, passed);
  }
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

/** The probes that at least one mailbox of the connection passes. */
async function probesPassedAnywhere(ledger: Ledger, connectionId: string): Promise<ReadonlySet<Probe>> {
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

async function reviseTogether(
  ledger: Ledger,
  record: Import,
  rows: readonly Tagged<Row>[],
  passed: ReadonlySet<Probe>,
): Promise<void> {
  const mailboxes = await Promise.all(rows.map((row) => ledger.getMailbox(record.connectionId, row.value.address)));
  const revised = rows.flatMap(({ value: row, tag }, i) => {
    const mailbox = mailboxes[i];
    if (!mailbox || mailbox.value.importId !== record.id || mailbox.value.openRow !== undefined) return [];
    const checks = revise(mailbox.value.checks, passed);
    return checks ? [{ row, tag, checks, mailboxTag: mailbox.tag }] : [];
  });
  await commitPairs(ledger, record.connectionId, revised, ({ row, tag, checks, mailboxTag }) => [
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

/** `undefined` if no explanation changes. */
function revise(findings: Findings, passed: ReadonlySet<Probe>): Findings | undefined {
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
