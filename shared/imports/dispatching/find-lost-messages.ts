import type { Tagged } from '../../kernel/tagged.ts';
import type { SentBatch } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openStates, type Row } from '../ledger/row.ts';
import type { WorkerReport } from '../ledger/worker-report.ts';

/** A batch is looked at this long after it was sent, and once more this long after the queue had handed it out. */
const SUSPECT_MS = 4_000;
/** A process with messages in hand writes every three seconds. Silent for this long, it is dead. */
const SILENT_MS = 8_000;
/** After this time, what a dead process had in hand was found in its batch. */
const BURIED_MS = 600_000;
/** A row that was sent again is left alone for this long. */
const RESENT_KEPT_MS = 20_000;
const READ_MAX = 1_000;
const BURIED_MAX = 50;

interface LostDeps {
  ledger: Ledger;
  importQueues: Pick<ImportQueues, 'getOldestCheckSentAt'>;
}

/** What the search for lost messages knows, and what it remembers. */
export interface LostSearch {
  connectionId: string;
  importId: string;
  cursor: number;
  batches: readonly SentBatch[];
  reports: readonly WorkerReport[];
  outstanding: number;
  /** Whether silence means something. Not if storage was unavailable for everybody until a moment ago. */
  canTellSilence: boolean;
  buriedReports: string[];
  resentLines: Record<string, number>;
  scoutedLines: readonly number[];
}

interface Found {
  /** Pending rows that nobody has a message of. */
  rows: Tagged<Row>[];
  /** The batches that still have pending rows. */
  batches: readonly SentBatch[];
  /** Rows that wait are at this line or above, as far as batches without pending rows show. */
  waitingFrom: number;
}

/**
 * Finds rows whose message is gone.
 *
 * A process that is silent although it has messages in hand is dead, and so are its messages for now: the queue shows
 * them again only when their visibility timeout ends. Other messages are lost if they were sent before what is now the
 * head of the queue, and no process has them in hand some seconds later. So a message that merely waits in a long queue
 * is never sent twice.
 */
export async function findLostMessages(deps: LostDeps, search: LostSearch, now: number): Promise<Found> {
  for (const [line, at] of Object.entries(search.resentLines)) {
    if (now - at > RESENT_KEPT_MS) delete search.resentLines[line];
  }
  const ofDead = search.canTellSilence ? await rowsOfDeadProcesses(deps, search, now) : [];
  for (const { value } of ofDead) search.resentLines[value.line] = now;
  const found = await rowsOfOldBatches(deps, search, now);
  for (const { value } of found.rows) search.resentLines[value.line] = now;
  return { ...found, rows: [...ofDead, ...found.rows] };
}

async function rowsOfDeadProcesses({ ledger }: LostDeps, search: LostSearch, now: number): Promise<Tagged<Row>[]> {
  const dead = search.reports.filter((report) => {
    const isRecent = now - report.writtenAt.getTime() < BURIED_MS;
    return (
      report.hand.length > 0 && isRecent && isSilent(report, now) && !search.buriedReports.includes(nameOf(report))
    );
  });
  const rows: Tagged<Row>[] = [];
  for (const report of dead) {
    search.buriedReports.push(nameOf(report));
    if (search.buriedReports.length > BURIED_MAX) search.buriedReports.shift();
    const found = await Promise.all(
      report.hand.map((line) => ledger.getRow(search.connectionId, search.importId, line)),
    );
    for (const row of found) {
      if (row?.value.state !== 'pending' || wasSentAfter(row.value, report.writtenAt)) continue;
      if (!(row.value.line in search.resentLines)) rows.push(row);
    }
  }
  return rows;
}

const isSilent = (report: WorkerReport, now: number) => now - report.writtenAt.getTime() > SILENT_MS;
const nameOf = ({ writtenAt, hand }: WorkerReport) => `${writtenAt.getTime()} ${hand[0]}`;

/** The row has waited since, and another message was sent for it. */
const wasSentAfter = (row: Row, time: Date) => row.sentAt !== undefined && row.sentAt > time;

async function rowsOfOldBatches(deps: LostDeps, search: LostSearch, now: number): Promise<Found> {
  const isOld = (batch: SentBatch) => now - batch.sentAt.getTime() > SUSPECT_MS;
  let { batches } = search;
  if (batches.some((batch) => isOld(batch) && !batch.handedOutAt)) {
    const head = search.outstanding > 0 ? await deps.importQueues.getOldestCheckSentAt() : undefined;
    batches = batches.map((batch) => {
      const isHandedOut = isOld(batch) && !batch.handedOutAt && (!head || head > batch.sentAt);
      return isHandedOut ? { ...batch, handedOutAt: new Date(now) } : batch;
    });
  }
  const inHand = new Set(search.reports.filter((report) => !isSilent(report, now)).flatMap(({ hand }) => hand));
  const rows = new Map<number, Tagged<Row>>();
  const kept: SentBatch[] = [];
  let waitingFrom = Number.POSITIVE_INFINITY;
  for (const batch of batches) {
    if (!batch.handedOutAt || now - batch.handedOutAt.getTime() <= SUSPECT_MS) {
      kept.push(batch);
      continue;
    }
    const open = await openRowsOf(deps, search, batch);
    for (const row of open) if (isLost(search, batch, row.value, inHand)) rows.set(row.value.line, row);
    if (open[0]) waitingFrom = Math.min(waitingFrom, open[0].value.line);
    const pending = open.filter(({ value }) => value.state === 'pending');
    const [first, last] = [pending[0], pending.at(-1)];
    if (!first || !last) continue;
    const { firstSentAt: _first, handedOutAt: _looked, ...rest } = batch;
    kept.push({ ...rest, from: first.value.line, to: last.value.line + 1, sentAt: new Date(now), isReturned: true });
  }
  const isSame = kept.length === search.batches.length && kept.every((batch, i) => batch === search.batches[i]);
  return { rows: [...rows.values()], batches: isSame ? search.batches : kept, waitingFrom };
}

function isLost(search: LostSearch, batch: SentBatch, row: Row, inHand: ReadonlySet<number>): boolean {
  const { line } = row;
  if (row.state !== 'pending' || inHand.has(line) || line in search.resentLines) return false;
  return !wasSentAfter(row, batch.sentAt);
}

/** The rows of a batch that were sent and are not settled, in order. */
async function openRowsOf({ ledger }: LostDeps, search: LostSearch, batch: SentBatch): Promise<Tagged<Row>[]> {
  const rows: Tagged<Row>[] = [];
  const { connectionId, importId, cursor } = search;
  const toLine = Math.min(batch.to, cursor);
  for (let fromLine = batch.from; fromLine < toLine; ) {
    const query = { fromLine, toLine, states: openStates, limit: READ_MAX };
    const found = await ledger.findRows(connectionId, importId, query);
    rows.push(...found);
    const last = found.at(-1);
    if (found.length < READ_MAX || !last) break;
    fromLine = last.value.line + 1;
  }
  // A scout may lie hundreds of thousands of lines above the cursor, and nothing between them was sent.
  const scouted = search.scoutedLines.filter((line) => line >= cursor && line >= batch.from && line < batch.to);
  for (const line of scouted.toSorted((a, b) => a - b)) {
    const row = await ledger.getRow(connectionId, importId, line);
    if (row && openStates.some((state) => state === row.value.state)) rows.push(row);
  }
  return rows;
}
