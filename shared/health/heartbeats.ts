/** When each timer last completed a run. Rejects with `storage_unavailable` if storage is unavailable. */
export interface Heartbeats {
  beat(timer: string, at: Date): Promise<void>;
  /** The latest run of any timer; `undefined` if none ever ran. */
  latest(): Promise<Date | undefined>;
}
