export interface Progress {
  id: string;
  status: string;
  percent: number;
  counts: Record<
    | 'rows'
    | 'accepted'
    | 'rejected'
    | 'duplicates'
    | 'pending'
    | 'waiting'
    | 'passed'
    | 'failed'
    | 'inconclusive'
    | 'cancelled',
    number
  >;
  finding: { cause: string; detail: string } | null;
  waitingFor: { cause: string } | null;
}

const FINAL_STATUSES = ['completed', 'failed', 'cancelled', 'paused'];
const SHOWN = ['passed', 'failed', 'inconclusive', 'waiting', 'pending'] as const;
const BAR_LENGTH = 20;

/** Whether the import makes no more progress by itself. */
export function isOver({ status }: Progress): boolean {
  return FINAL_STATUSES.includes(status);
}

/** The progress of an import in one line. */
export function progressLine({ percent, status, counts, waitingFor }: Progress): string {
  const bar = '█'.repeat(Math.floor((percent * BAR_LENGTH) / 100)).padEnd(BAR_LENGTH, '░');
  const counted = SHOWN.filter((name) => counts[name] > 0).map((name) => `${counts[name]} ${name}`);
  return `${bar} ${percent.toFixed(1).padStart(5)} % ${status}${counted.length > 0 ? `: ${counted.join(', ')}` : ''}${waitingFor ? `; ${waitingFor.cause}` : ''}`;
}
