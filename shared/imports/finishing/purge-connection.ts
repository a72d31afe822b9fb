import type { Clock } from '../../kernel/clock.ts';
import type { Slots } from '../../plans/slots.ts';
import { cancelImport } from '../cancel-import.ts';
import { isEnded } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';
import type { UploadStore } from '../upload/upload-store.ts';
import { cancelOpenRows } from './cancel-open-rows.ts';
import { finishImport, type ImportEvents } from './finish-import.ts';

interface PurgeDeps {
  imports: ImportStore;
  importQueues: ImportQueues;
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  slots: Pick<Slots, 'trim' | 'free'>;
  uploads: Pick<UploadStore, 'remove'>;
  importEvents: ImportEvents;
  clock: Clock;
}

const PAGE_SIZE = 100;

/**
 * Removes everything that a connection's imports created. Cancels open imports, removes uploads, gives the slots back,
 * then removes mailboxes, rows and imports. Each step is repeatable.
 */
export async function purgeConnection(deps: PurgeDeps, customerId: string, connectionId: string): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await deps.imports.list(customerId, connectionId, {
      limit: PAGE_SIZE,
      ...(cursor !== undefined && { cursor }),
    });
    for (const record of page.items) {
      if (!isEnded(record.status)) {
        const cancelling = (await cancelImport(deps, customerId, record.id, 'cancelled')) ?? record;
        await cancelOpenRows(deps, cancelling);
        await finishImport(deps, cancelling);
      }
      await deps.uploads.remove(customerId, record.id);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);

  let slotsHeld = 0;
  for await (const { value: mailbox } of deps.ledger.eachMailbox(connectionId)) if (mailbox.slotClaimedBy) slotsHeld++;
  await deps.slots.free(customerId, `connection:${connectionId}`, slotsHeld);
  await deps.ledger.purge(connectionId);
  await deps.imports.purge(customerId, connectionId);
}
