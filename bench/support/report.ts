/** One line of a report. */
export interface Row {
  operation: string;
  measured: number;
  goal: number;
  /** By default, `measured` must be at most the goal. */
  is?: 'atMost' | 'atLeast';
}

export interface Report {
  /** What was measured, and how. */
  title: string;
  rows: Row[];
  /** Lines below the table. */
  notes?: string[];
  /** More figures, for the JSON. */
  details?: Record<string, unknown>;
}

/** A command of the bench. `run` throws a `UsageError` for arguments that make no sense. */
export interface Bench {
  /** The arguments, and what is measured. */
  usage: string;
  run(args: string[]): Promise<Report>;
}

export class UsageError extends Error {}

export const isReached = ({ measured, goal, is = 'atMost' }: Row): boolean =>
  is === 'atMost' ? measured <= goal : measured >= goal;

/** The report as a table, followed by one line of JSON. */
export function formatReport({ title, rows, notes = [], details = {} }: Report): string {
  const width = Math.max(...rows.map(({ operation }) => operation.length));
  const lines = rows.map((row) => {
    const mark = isReached(row) ? '' : '  MISSED';
    const bound = `${row.is === 'atLeast' ? '≥' : '≤'} ${row.goal}`;
    return `  ${row.operation.padEnd(width)} ${row.measured.toFixed(3).padStart(9)}   goal ${bound}${mark}`;
  });
  const paragraphs = [[title], lines, notes, [JSON.stringify({ ...details, rows })]];
  return paragraphs
    .filter((paragraph) => paragraph.length > 0)
    .map((paragraph) => paragraph.join('\n'))
    .join('\n\n');
}
