import { type CauseCode, causeCodes } from '../../causes/causes.ts';
import type { SettledMailbox } from './settled-mailbox.ts';

/** Where to find a row that has a cause. */
export interface CauseExample {
  line: number;
  address: string;
}

/** The settled rows with one cause. */
export interface CauseTally {
  /** Negative if this writer has explained more of them by another cause than it has settled. */
  count: number;
  /** The first few. A later explanation may give one of them another cause. */
  examples: readonly CauseExample[];
}

export type CauseTallies = Readonly<Partial<Record<CauseCode, CauseTally>>>;

/** A settled row whose denial is explained by another cause than before. */
export interface ExplainedMailbox extends CauseExample {
  from: CauseCode | undefined;
  to: CauseCode | undefined;
}

export const EXAMPLES_MAX = 5;
/**
 * A tally is one entity, and all its causes are one property of it: 32,768 characters. With this limit, five examples of
 * each of 58 causes fit in.
 */
const ADDRESS_MAX_LENGTH = 72;

/** Counts the rows that did not pass, by their causes. */
export function addSettled(tallies: CauseTallies, settled: readonly SettledMailbox[]): CauseTallies {
  return settled.reduce(
    (sum, { state, cause, ...row }) =>
      cause !== undefined && (state === 'failed' || state === 'inconclusive') ? add(sum, cause, 1, [row]) : sum,
    tallies,
  );
}

/** Counts rows with their new cause, and no longer with the one before. */
export function addExplained(tallies: CauseTallies, explained: readonly ExplainedMailbox[]): CauseTallies {
  return explained.reduce((sum, { from, to, line, address }) => {
    const left = from === undefined ? sum : add(sum, from, -1, []);
    return to === undefined ? left : add(left, to, 1, [{ line, address }]);
  }, tallies);
}

/** The sum over all writers. Has up to `EXAMPLES_MAX` examples of each writer. */
export function sumCauses(writers: readonly (CauseTallies | undefined)[]): CauseTallies {
  let sum: CauseTallies = {};
  for (const tallies of writers) {
    for (const cause of causeCodes) {
      const { count, examples } = tallies?.[cause] ?? { count: 0, examples: [] };
      const known = sum[cause];
      if (known) sum = { ...sum, [cause]: { count: known.count + count, examples: [...known.examples, ...examples] } };
      else if (count !== 0 || examples.length > 0) sum = { ...sum, [cause]: { count, examples } };
    }
  }
  return sum;
}

function add(tallies: CauseTallies, cause: CauseCode, count: number, rows: readonly CauseExample[]): CauseTallies {
  const known = tallies[cause] ?? { count: 0, examples: [] };
  const more = rows.filter(({ address }) => address.length <= ADDRESS_MAX_LENGTH);
  const examples = [...known.examples, ...more.map(({ line, address }) => ({ line, address }))].slice(0, EXAMPLES_MAX);
  return { ...tallies, [cause]: { count: known.count + count, examples } };
}
