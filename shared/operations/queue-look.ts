/** What a queue holds now. */
export interface QueueLook {
  /** About how many messages it has, with those that are hidden or being handled. */
  depth: number;
  /** Since when its oldest message could have been handled. Absent if none waits. */
  oldestSince?: Date;
}

/** Looks into a queue without taking anything from it. Rejects with `storage_unavailable` if storage is unavailable. */
export type LookAtQueue = (queue: string) => Promise<QueueLook>;
