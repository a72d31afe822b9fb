import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Slots } from '../../plans/slots.ts';
import type { Import } from '../import.ts';
import { CHANGES_MAX, CHANGES_OF_IMPORT } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { ParsedUpload } from '../upload/parsed-row.ts';
import { removeMarked } from './remove-marked.ts';
import { type ActionLine, type WriteActionDeps, writeActionGroup } from './write-action-group.ts';

export interface PlanActionDeps extends WriteActionDeps {
  /** Reads the stored addresses from the first line after `afterLine`. `undefined` if they are gone. */
  readUpload: (record: Import, afterLine: number) => Promise<ParsedUpload | undefined>;
  clock: Clock;
  planShiftMs: number;
  slots: Pick<Slots, 'claim'>;
}

type PlanActionResult = 'done' | 'superseded' | 'handOver' | 'uploadGone';

/** Changes of a transaction besides those of the mailboxes: the checkpoint, and what is written for the action itself. */
const CHANGES_OF_ACTION = 1 + CHANGES_OF_IMPORT;
/** The row of the action, and the mailbox. */
const CHANGES_OF_LINE = 2;
/** The row that is cancelled, and what is written for its import. Each may belong to another import. */
const CHANGES_OF_OPEN_ROW = 1 + CHANGES_OF_IMPORT;

function groupMax(record: Import): number {
  const each = CHANGES_OF_LINE + (givesSlotsBack(record) ? CHANGES_OF_OPEN_ROW : 0);
  return Math.floor((CHANGES_MAX - CHANGES_OF_ACTION) / each);
}

const givesSlotsBack = ({ action }: Import) => action === 'disconnect' || action === 'remove';

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
  if (givesSlotsBack(record)) {
    // The claim of none: with it, the slots that the action gives back are counted, however it ends.
    if ((await deps.slots.claim(record.customerId, record.id, 0)) === 'released') return 'superseded';
  }
  // An earlier planner may have died before it deleted what it had marked.
  if (record.action === 'remove') await removeMarked(deps, record, checkpoint.value.line);
  const lines = await openLines(deps, record, checkpoint.value.line);
  if (!lines) return 'uploadGone';
  let plan = checkpoint;
  for await (const { group, isLast } of groupsOf(lines, groupMax(record))) {
    const written = await writeActionGroup(deps, { record, plan, group, isLast });
    if (!written) return 'superseded';
    if (record.action === 'remove') await removeMarked(deps, record, written.value.line);
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
async function* groupsOf(lines: AsyncIterable<ActionLine> | Iterable<ActionLine>, max: number) {
  let group: ActionLine[] = [];
  for await (const line of lines) {
    if (group.length === max) {
      yield { group, isLast: false };
      group = [];
    }
    group.push(line);
  }
  yield { group, isLast: true };
}
