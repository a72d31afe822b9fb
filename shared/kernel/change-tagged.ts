import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from './errors.ts';
import type { Tagged } from './tagged.ts';

/**
 * One record in a store. `write` resolves to the new tag, or to `undefined` if the record changed since `tag` was read.
 */
export interface TaggedRecord<T> {
  read(): Promise<Tagged<T> | undefined>;
  write(value: T, tag: string): Promise<string | undefined>;
}

interface RetryOptions {
  triesMax?: number;
  pauseMaxMs?: number;
  sleep?: (ms: number) => Promise<unknown>;
  /** Between 0 and 1. */
  random?: () => number;
}

/**
 * Reads a record, changes it and writes it back. If another writer was faster, it starts over with the newer record.
 *
 * `change` may run several times. It returns `undefined` to leave the record as it is, and may throw to refuse.
 * Resolves to the record that was written, or to `undefined` if nothing was written: the record is absent, or `change`
 * left it as it is.
 *
 * @throws DomainError `storage_unavailable` if other writers win every try
 */
export async function changeTagged<T>(
  record: TaggedRecord<T>,
  change: (current: T) => T | undefined | Promise<T | undefined>,
  options?: RetryOptions,
): Promise<T | undefined> {
  const { written } = await retryLostRaces(async () => {
    const found = await record.read();
    const next = found && (await change(found.value));
    if (!found || !next) return { written: undefined };
    const tag = await record.write(next, found.tag);
    return tag === undefined ? undefined : { written: next };
  }, options);
  return written;
}

/**
 * Repeats a read-change-write until no other writer comes in between. A try that lost the race resolves to `undefined`.
 * Random pauses between the tries keep many writers from colliding again and again.
 *
 * @throws DomainError `storage_unavailable` after `triesMax` tries
 */
export async function retryLostRaces<T>(
  tryOnce: () => Promise<T | undefined>,
  { triesMax = 30, pauseMaxMs = 100, sleep: pause = sleep, random = Math.random }: RetryOptions = {},
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const result = await tryOnce();
    if (result !== undefined) return result;
    if (tries >= triesMax) break;
    await pause(random() * Math.min(pauseMaxMs, 2 ** tries));
  }
  throw new DomainError('storage_unavailable', 'Too many changes at the same time. Try again in a few seconds.', {
    retryAfterSeconds: 1,
  });
}
