/** When each timer last ran through. Rejects with `storage_unavailable` when storage is away. */
export interface Heartbeats {
  beat(timer: string, at: Date): Promise<void>;
  /** The latest of all timers; `undefined` when none ever ran. */
  latest(): Promise<Date | undefined>;
}
