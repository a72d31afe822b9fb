import { changeTagged } from '../kernel/change-tagged.ts';
import type { Clock } from '../kernel/clock.ts';
import type { DirectoryRecord } from './directory-record.ts';
import type { DirectoryStore } from './directory-store.ts';

/**
 * Ends a read that keeps failing for a reason that we do not understand, with the finding `internal_error`. What was read
 * before stays. A refresh begins again, from the last complete read.
 */
export async function failReading(
  { directory, clock }: { directory: Pick<DirectoryStore, 'get' | 'put' | 'forget'>; clock: Clock },
  { connectionId }: { connectionId: string },
): Promise<void> {
  const record = {
    read: () => directory.get(connectionId),
    write: (value: Parameters<DirectoryStore['put']>[0], tag: string) => directory.put(value, tag),
  };
  await changeTagged(
    record,
    ({ read, lease: _lease, ...rest }): DirectoryRecord | undefined =>
      read && { ...rest, finding: { cause: 'internal_error', seenAt: clock.now() } },
  );
  await directory.forget('reading', connectionId);
}
