import { settledStates } from '../ledger/row.ts';
import type { TallyCounts } from '../ledger/tally.ts';

export type ToldCounts = Pick<TallyCounts, (typeof settledStates)[number]>;

/**
 * How far a listener has been told about an import. It is the ID of each event, so that any process can go on after any
 * event. Times are milliseconds since the epoch.
 *
 * A batch is told if its writer is in `writers` and has told this far. A writer that is not there was silent for
 * `QUIET_MS` before `since`: its batches up to then are told, and later ones are not. So a position stays short, and it is
 * exact as long as the clocks of the processes differ by less than `QUIET_MS`.
 */
export interface Position {
  since: number;
  writers: Map<string, { serial: number; at: number }>;
  /** The rows that were told, by state. */
  told: ToldCounts;
  /** The last progress that was told: its percent, and a short hash of its state. -1 before the first one. */
  percent: number;
  state: string;
}

export const QUIET_MS = 600_000;

/** The ID of the last event. A listener that has it needs nothing more. */
export const END_ID = 'end';

/** A header of a request has room for some kilobytes. With more writers than this, a listener may be told something twice. */
const WRITERS_MAX = 250;

export function startPosition(since: number): Position {
  return { since, writers: new Map(), told: noneTold(), percent: -1, state: '' };
}

/** Forgets the writers that have been silent for long. */
export function pruneWriters({ writers, since }: Position): void {
  for (const [writer, { at }] of writers) if (at <= since - QUIET_MS) writers.delete(writer);
}

export function formatPosition({ since, percent, state, told, writers }: Position): string {
  const counts = settledStates.map((one) => told[one].toString(36));
  const fields = ['1', since.toString(36), Math.round(percent * 10).toString(36), state, ...counts];
  const newest = [...writers].toSorted(([, a], [, b]) => b.at - a.at).slice(0, WRITERS_MAX);
  return [fields.join('.'), ...newest.map(([writer, { serial }]) => `${writer}*${serial.toString(36)}`)].join('~');
}

const POSITION =
  /^1\.([0-9a-z]{1,11})\.(-?[0-9a-z]{1,4})\.([\w-]{0,16})((?:\.[0-9a-z]{1,8}){4})((?:~[\w.-]{1,64}\*[0-9a-z]{1,8})*)$/;
const POSITION_MAX_LENGTH = 16_384;

/** Reads what `formatPosition` wrote. `undefined` for anything else. */
export function parsePosition(text: string): Position | undefined {
  if (text.length > POSITION_MAX_LENGTH) return undefined;
  const [, since = '', percent = '', state = '', counts = '', writers = ''] = POSITION.exec(text) ?? [];
  if (since === '') return undefined;
  const at = Number.parseInt(since, 36);
  const numbers = counts.split('.').slice(1);
  return {
    since: at,
    percent: Number.parseInt(percent, 36) / 10,
    state,
    told: {
      ...noneTold(),
      ...Object.fromEntries(settledStates.map((one, i) => [one, Number.parseInt(numbers[i] ?? '', 36)])),
    },
    writers: new Map(
      writers
        .split('~')
        .slice(1)
        .map((part) => part.split('*'))
        .map(([writer = '', serial = '']) => [writer, { serial: Number.parseInt(serial, 36), at }]),
    ),
  };
}

function noneTold(): ToldCounts {
  return { passed: 0, failed: 0, inconclusive: 0, cancelled: 0 };
}
