import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { ParsedUpload } from '../upload/parsed-row.ts';
import { type ActionLine, type WriteActionDeps, writeActionGroup } from './write-action-group.ts';

export interface PlanActionDeps extends WriteActionDeps {
  /** Reads the stored addresses from the first line after `afterLine`. `undefined` if they are gone. */
  readUpload: (record: Import, afterLine: number) => Promise<ParsedUpload | undefined>;
  clock: Clock;
  planShiftMs: number;
}

type PlanActionResult = 'done' | 'superseded' | 'handOver' | 'uploadGone';

/** Lines of one transaction: a row and a mailbox for each, and the checkpoint. */
const GROUP_MAX = 48;

/**
 * Plans an action: opens a row for each of its mailboxes that gets a check, and writes down why the others get none. Each
 * transaction moves the checkpoint. Repeatable, as `planRows` is.
 */
export async function planAction(
  deps: PlanActionDeps,
  record: Import,
  checkpoint: Tagged<PlanRecord>,
): Promise<PlanActionResult> {
  const shiftEnds = deps.clock.now().getTime() + deps.planShiftMs;
  const lines = await openLines(deps, record, checkpoint.value.line);
  if (!lines) return 'uploadGone';
  let plan = checkpoint;
  for await (const { group, isLast } of groupsOf(lines)) {
    const written = await writeActionGroup(deps, { record, plan, group, isLast });
    if (!written) return 'superseded';
    if (isLast) break;
    plan = written;
    if (deps.clock.now().getTime() >= shiftEnds) return 'handOver';
  }
  return 'done';
}

async function openLines(
  deps: PlanActionDeps,
  record: Import,
  afterLine: number,
): Promise<AsyncIterable<ActionLine> | Iterable<ActionLine> | undefined> {
  if (record.target) return [{ line: 1, address: record.target.address }];
  return (await deps.readUpload(record, afterLine))?.rows;
}

/** The last group may be empty. */
async function* groupsOf(lines: AsyncIterable<ActionLine> | Iterable<ActionLine>) {
  let group: ActionLine[] = [];
  for await (const line of lines) {
    if (group.length === GROUP_MAX) {
      yield { group, isLast: false };
      group = [];
    }
    group.push(line);
  }
  yield { group, isLast: true };
}
