import type { CauseCode } from '../../causes/causes.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { acceptedStates, type Row } from '../ledger/row.ts';

const READ_MAX = 1_000;
const DUE_READ_MAX = 500;
/** After a look that found nothing due, the next one comes this much later. */
const NOTHING_DUE_MS = 2_000;

/** The accepted rows above the cursor, read ahead so that a tick rarely reads any. */
export interface FreshRows {
  /** The next rows, in any state but without `skipped` lines, and the line after the last one that was looked at. */
  take(cursor: number, limit: number, skipped: readonly number[]): Promise<{ rows: Tagged<Row>[]; cursor: number }>;
}

export function createFreshRows(ledger: Ledger, { connectionId, id }: Import): FreshRows {
  let buffered: Tagged<Row>[] = [];
  let readTo: number | undefined;
  let isComplete = false;
  return {
    async take(cursor, limit, skipped) {
      const rows: Tagged<Row>[] = [];
      let next = cursor;
      while (rows.length < limit) {
        const row = buffered.shift();
        if (row) {
          next = row.value.line + 1;
          if (!skipped.includes(row.value.line)) rows.push(row);
          continue;
        }
        if (isComplete) break;
        const query = { fromLine: readTo ?? cursor, states: acceptedStates, limit: READ_MAX };
        buffered = await ledger.findRows(connectionId, id, query);
        readTo = (buffered.at(-1)?.value.line ?? next - 1) + 1;
        isComplete = buffered.length < READ_MAX;
      }
      return { rows, cursor: next };
    },
  };
}

/** Waiting rows that are due. */
export interface DueRows {
  /**
   * @param release which of the due rows may be sent, see `releaseDue`
   * @param any also a row that is not due yet, if none is. A probe is worth more than the time that one row waits
   */
  take(limit: number, now: number, release: Release, any: boolean): Promise<Tagged<Row>[]>;
  /** `undefined` if no row waits for a time. */
  next(): Promise<NextDue | undefined>;
}

/** When the next waiting row is due and why it waits, and the first line that waits. */
export interface NextDue {
  dueAt: number;
  cause?: CauseCode;
  fromLine: number;
}

type Release = (due: readonly Tagged<Row>[]) => Promise<readonly Tagged<Row>[]>;

export function createDueRows(
  ledger: Ledger,
  { connectionId, id }: Import,
  /** The lines among which rows can be waiting. */
  linesOf: () => { from: number; to: number },
): DueRows {
  let buffered: Tagged<Row>[] = [];
  let emptyUntil = 0;
  const waiting = () => {
    const { from: fromLine, to: toLine } = linesOf();
    return { fromLine, toLine, states: ['waiting'] as const };
  };

  async function fill(now: number, release: Release): Promise<void> {
    if (now < emptyUntil) return;
    const query = { ...waiting(), dueBy: new Date(now), limit: DUE_READ_MAX };
    buffered = [...(await release(await ledger.findRows(connectionId, id, query)))];
    if (buffered.length === 0) emptyUntil = now + NOTHING_DUE_MS;
  }

  return {
    async take(limit, now, release, any) {
      if (buffered.length === 0) await fill(now, release);
      if (buffered.length > 0 || !any) return buffered.splice(0, limit);
      const some = await ledger.findRows(connectionId, id, { ...waiting(), limit: DUE_READ_MAX });
      // Grants that may be propagating are asked about only when they are due.
      const askable = some.filter(({ value: row }) => row.nextCheckAt && !row.heldAt && row.cause !== 'propagating');
      // Another one each time, because one mailbox may be silent for good.
      const best = askable.reduce<Tagged<Row> | undefined>(
        (least, row) => (least && least.value.attempt <= row.value.attempt ? least : row),
        undefined,
      );
      return best ? [best] : [];
    },
    async next() {
      let next: Row | undefined;
      let firstLine: number | undefined;
      for (let { fromLine, ...query } = waiting(); ; ) {
        const rows = await ledger.findRows(connectionId, id, { ...query, fromLine, limit: READ_MAX });
        firstLine ??= rows[0]?.value.line;
        for (const { value } of rows) if (isEarlier(value, next)) next = value;
        const last = rows.at(-1);
        if (!last || rows.length < READ_MAX) break;
        fromLine = last.value.line + 1;
      }
      if (firstLine === undefined || !next?.nextCheckAt) return undefined;
      return { dueAt: next.nextCheckAt.getTime(), fromLine: firstLine, ...(next.cause && { cause: next.cause }) };
    },
  };
}

function isEarlier({ nextCheckAt }: Row, other: Row | undefined): boolean {
  return nextCheckAt !== undefined && (!other?.nextCheckAt || nextCheckAt < other.nextCheckAt);
}
