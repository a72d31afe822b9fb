import type { ParsedRow } from '../upload/parsed-row.ts';

/** Reads the rows of an upload one by one, and some of them ahead if asked to. */
export interface RowReader {
  /** The next row, which stays the next one. `undefined` after the last. */
  peek(): Promise<ParsedRow | undefined>;
  /** Moves past the row that `peek` has returned. */
  skip(): void;
  /** The next `count` rows, or fewer at the end. They stay the next ones. */
  peekMany(count: number): Promise<readonly ParsedRow[]>;
  /** Stops reading the upload. */
  close(): Promise<void>;
}

export function createRowReader(rows: AsyncIterable<ParsedRow>): RowReader {
  const source = rows[Symbol.asyncIterator]();
  let ahead: ParsedRow[] = [];
  let at = 0;

  async function fill(count: number): Promise<void> {
    if (ahead.length - at >= count) return;
    ahead = ahead.slice(at);
    at = 0;
    while (ahead.length < count) {
      const next = await source.next();
      if (next.done) return;
      ahead.push(next.value);
    }
  }

  return {
    async peek() {
      if (at === ahead.length) await fill(1);
      return ahead[at];
    },
    skip: () => void at++,
    async peekMany(count) {
      await fill(count);
      return ahead.slice(at);
    },
    async close() {
      await source.return?.();
    },
  };
}
