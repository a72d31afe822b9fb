import { retryLostRaces } from '../../kernel/change-tagged.ts';
import { newFlow } from '../dispatching/flow.ts';
import { flowSumsOf } from '../dispatching/measure-flow.ts';
import { type Import, isEnded } from '../import.ts';
import { type LeaseDeps, withLease } from '../import-lease.ts';
import type { ImportStore } from '../import-store.ts';
import {
  isReopenable,
  type Reopening,
  type ReopenRowDeps,
  reopenTogether,
  undoReclaims,
} from '../ledger/reopen-together.ts';
import { newestReports, sumTallies } from '../ledger/tally.ts';
import { sumReports } from '../ledger/worker-report.ts';
import { addReturned } from '../sent-batches.ts';

export interface ReopenDeps extends LeaseDeps, ReopenRowDeps {
  imports: LeaseDeps['imports'] & Pick<ImportStore, 'openPointer'>;
  dispatching: { refusalsMax: number };
}

/** Which rows of an import to open again. */
export interface ReopenRequest {
  customerId: string;
  connectionId: string;
  importId: string;
  rows: readonly Reopening[];
}

/** What became of the rows, by line. */
export type ReopenResult = ReadonlyMap<number, 'reopened' | 'nothingToDo' | 'noSlot'>;

/**
 * Opens rows again that failed because of a defect of ours, so that their mailboxes are checked anew. An import that was
 * completed runs again until they have their verdicts, and is announced once more. Its counts stay exact.
 *
 * A row counts once, however often and wherever this is called: it is opened only if it failed in the attempt that is
 * named, and opening it begins the next one. Nothing happens to a row that has a verdict, whose mailbox belongs to a later
 * import or is gone, or whose import was cancelled or failed as a whole.
 *
 * Works under the lease of the import, which it takes from a dispatcher. So nobody ends the import in between. If the
 * process dies, a dispatcher goes on with the rows that are open by then, and another call opens the others.
 */
export async function reopenRows(deps: ReopenDeps, request: ReopenRequest): Promise<ReopenResult> {
  const { customerId, importId, connectionId } = request;
  return retryLostRaces(async () => {
    const found = await deps.imports.get(customerId, importId);
    const { rows, unopened } = await sortOut(deps, request, found !== undefined && canReopen(found.value));
    // An earlier call may have died after it took a slot for a row that can no longer be opened.
    await undoReclaims(deps, customerId, importId, unopened);
    if (!found || rows.length === 0) return new Map(request.rows.map(({ line }) => [line, 'nothingToDo']));
    // The sweep looks after an import only while it has a pointer. Someone who has just announced its end may remove it.
    const pointer = { customerId, importId, connectionId, openedAt: deps.clock.now() };
    await deps.imports.openPointer(pointer);
    const reopened = { ...found, value: await runAgain(deps, found.value, rows) };
    const held = await withLease(deps, reopened, (lease) => reopenTogether(deps, lease, rows));
    if (!held) return undefined;
    await deps.imports.openPointer(pointer);
    await deps.importQueues.sendDispatch({ v: 1, customerId, importId }).catch(() => undefined);
    const results = new Map(held.result);
    return new Map(request.rows.map(({ line }) => [line, results.get(line) ?? 'nothingToDo']));
  });
}

function canReopen({ status, rowsRemovedAt }: Import): boolean {
  return (status === 'running' || status === 'paused' || status === 'completed') && rowsRemovedAt === undefined;
}

/**
 * `rows` can be opened. `unopened` cannot, and are still in their attempt. The slot of a row that is in a later attempt
 * belongs to that one, and nobody knows about a row that is gone.
 */
async function sortOut(
  deps: ReopenDeps,
  { connectionId, importId, rows }: ReopenRequest,
  isOpen: boolean,
): Promise<{ rows: Reopening[]; unopened: Reopening[] }> {
  const read = await Promise.all(rows.map(({ line }) => deps.ledger.getRow(connectionId, importId, line)));
  const isOurs = (wanted: Reopening, i: number) => isOpen && isReopenable(read[i]?.value, wanted);
  return {
    rows: rows.filter(isOurs),
    unopened: rows.filter((wanted, i) => !isOurs(wanted, i) && read[i]?.value.attempt === wanted.attempt),
  };
}

/** The import as it runs again. Its dispatcher looks for waiting rows among the lines of its batches. */
async function runAgain(deps: ReopenDeps, record: Import, rows: readonly Reopening[]): Promise<Import> {
  const now = deps.clock.now();
  const lines = rows.map(({ line }) => line);
  const batches = addReturned(record.batches, lines, now);
  const { wakeUpAt: _unset, lease: _other, ...current } = record;
  if (!isEnded(record.status)) return { ...current, batches };
  const tallies = await deps.ledger.listTallies(record.connectionId, record.id);
  const sums = flowSumsOf(sumTallies(tallies), sumReports(newestReports(tallies)));
  const { counts: _final, findingCounts: _alsoFinal, finishedAt: _over, rowsExpireAt: _later, ...open } = current;
  const flow = newFlow(now.getTime(), sums, deps.dispatching.refusalsMax);
  return { ...open, status: 'running', eventPending: false, batches, flow };
}
