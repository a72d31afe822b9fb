/** The last completed run of a timer. */
export interface Heartbeat {
  timer: string;
  ranAt: Date;
  /** When its schedule lets it run next. Absent if the host did not tell. */
  dueAt?: Date;
}

/** When each timer last completed a run. Rejects with `storage_unavailable` if storage is unavailable. */
export interface Heartbeats {
  beat(heartbeat: Heartbeat): Promise<void>;
  /** Of every timer that ever ran. */
  list(): Promise<Heartbeat[]>;
  /** Notes since when a timer is expected to run. The first note stays. */
  expect(timer: string, since: Date): Promise<void>;
  /** Every such note. It stays when the timer has run. */
  listExpected(): Promise<{ timer: string; since: Date }[]>;
}

/** The latest run of any timer; `undefined` if none ever ran. */
export function latestOf(heartbeats: readonly Heartbeat[]): Date | undefined {
  const last = Math.max(...heartbeats.map(({ ranAt }) => ranAt.getTime()));
  return Number.isFinite(last) ? new Date(last) : undefined;
}

/**
 * Whether a timer should have completed a run since its last one. It may be late by `silentMaxMs`, because a run takes
 * time and a deployment or a restart may delay it.
 */
export function isLate({ ranAt, dueAt = ranAt }: Heartbeat, now: Date, silentMaxMs: number): boolean {
  return now.getTime() - dueAt.getTime() > silentMaxMs;
}
