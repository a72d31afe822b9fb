import type { Clock } from '../../kernel/clock.ts';
import type { Slots } from '../../plans/slots.ts';
import { beginCancel } from '../cancel-import.ts';
import { isEnded } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Lanes } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';
import type { UploadStore } from '../upload/upload-store.ts';
import { finishImport, type ImportEvents } from './finish-import.ts';
import { settleAsCancelled } from './settle-as-cancelled.ts';

export interface PurgeNeeds {
  imports: ImportStore;
  importQueues: ImportQueues;
  ledger: Ledger;
  lanes: Lanes;
  tallies: TallyBook;
  slots: Pick<Slots, 'trim' | 'free'>;
  uploads: Pick<UploadStore, 'remove'>;
  importEvents: ImportEvents;
  clock: Clock;
}

/**
 * Removes all that a connection's imports have brought: running ones are cancelled, slots given back, then uploads,
 * mailboxes, rows and imports go. Repeatable at every step.
 */
export async function purgeConnection(needs: PurgeNeeds, customerId: string, connectionId: string): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await needs.imports.list(customerId, connectionId, {
      limit: 100,
      ...(cursor !== undefined && { cursor }),
    });
    for (const record of page.items) {
      if (!isEnded(record.status)) {
        const cancelling = (await beginCancel(needs, customerId, record.id, 'cancelled')) ?? record;
        await settleAsCancelled(needs, cancelling);
        await finishImport(needs, cancelling);
      }
      await needs.uploads.remove(customerId, record.id);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);

  let held = 0;
  for await (const { value: mailbox } of needs.ledger.eachMailbox(connectionId)) if (mailbox.slotOf) held++;
  await needs.slots.free(customerId, `connection:${connectionId}`, held);
  await needs.ledger.purge(connectionId);
  await needs.imports.purge(customerId, connectionId);
}
