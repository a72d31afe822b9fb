import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import { decideAction } from './decide-action.ts';
import { mailboxToCheck, rowToCheck } from './open-for-check.ts';

export interface WriteActionDeps {
  ledger: Ledger;
  clock: Clock;
}

/** A mailbox of an action. */
export interface ActionLine {
  line: number;
  address: string;
}

interface Group {
  record: Import;
  plan: Tagged<PlanRecord>;
  /** The lines after the checkpoint, each with another address. */
  group: readonly ActionLine[];
  isLast: boolean;
}

/** Each conflict means that another writer has changed a mailbox. Then all of the group are read again. */
const COMMITS_MAX = 20;

/**
 * Writes the rows of some mailboxes, what becomes of the mailboxes, and the checkpoint in one transaction. Resolves to the
 * new checkpoint, or to `undefined` if another planner is at work.
 */
export async function writeActionGroup(deps: WriteActionDeps, target: Group): Promise<Tagged<PlanRecord> | undefined> {
  const { record, group } = target;
  const addresses = group.map(({ address }) => address);
  for (let commits = 1; commits <= COMMITS_MAX; commits++) {
    const mailboxes = await deps.ledger.getMailboxes(record.connectionId, addresses);
    const { plan, changes } = toTransaction(target, mailboxes, deps.clock.now());
    const result = await deps.ledger.commit(record.connectionId, changes);
    if (result.committed) return { value: plan, tag: result.tags.at(-1) ?? '' };
    if (changes[result.index]?.op !== 'mergeMailbox') return undefined;
  }
  throw new DomainError('storage_unavailable', `A group of mailboxes met ${COMMITS_MAX} conflicts in a row.`);
}

function toTransaction(
  { record, plan, group, isLast }: Group,
  mailboxes: ReadonlyMap<string, Tagged<Mailbox>>,
  now: Date,
): { plan: PlanRecord; changes: LedgerChange[] } {
  const findingCounts = { ...plan.value.findingCounts };
  const next: PlanRecord = { ...plan.value, findingCounts, movedAt: now, done: isLast };
  const changes: LedgerChange[] = [];
  for (const { line, address } of group) {
    const decision = decideAction(record, mailboxes.get(address));
    next.line = line;
    next.rows++;
    if (decision.kind === 'skip') {
      const { code, message } = decision;
      const row = { importId: record.id, line, address, state: 'rejected', attempt: 0, code, message } as const;
      next.rejected++;
      findingCounts[code] = (findingCounts[code] ?? 0) + 1;
      changes.push({ op: 'createRow', row });
      continue;
    }
    const { value: mailbox, tag } = decision.mailbox;
    const row = rowToCheck(record.id, line, mailbox);
    next.accepted++;
    if (row.takesSlot) next.slotsNeeded++;
    changes.push({ op: 'createRow', row });
    changes.push({ op: 'mergeMailbox', address, tag, patch: mailboxToCheck(row, mailbox) });
  }
  const { importId: _same, ...patch } = next;
  changes.push({ op: 'mergePlan', importId: record.id, patch, tag: plan.tag });
  return { plan: next, changes };
}
