import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import type { ReverifyDeps } from '../../../shared/imports/reverifying/reverify-mailboxes.ts';
import type { UploadStore } from '../../../shared/imports/upload/upload-store.ts';
import type { Slots } from '../../../shared/plans/slots.ts';
import { inMemoryReverifyWalks } from '../../fakes/in-memory-reverify-walks.ts';
import { inMemoryRunProgress } from '../../fakes/in-memory-run-progress.ts';
import { pageOf } from '../../fakes/page-of.ts';
import { someRetention } from '../some-retention.ts';
import { uploadLimits } from '../upload-bytes.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { SimulatedQueues } from './simulated-queues.ts';

interface Parts {
  clock: SimulatedClock;
  imports: ImportStore;
  connections: ConnectionStore;
  ledger: Ledger;
  slots: Slots;
  queues: SimulatedQueues;
  /** The addresses of each import, as the processes of the world read them. */
  uploads: Map<string, readonly string[]>;
}

const DAY_MS = 86_400_000;

/** What the timer that checks mailboxes again needs, with the intervals of a deployment. */
export function simulatedReverification({ clock, queues, uploads, ...stores }: Parts): () => ReverifyDeps {
  const notUsed = async () => {
    throw new Error('not used');
  };
  const store: UploadStore = {
    async put(_customerId, importId, source) {
      let text = '';
      for await (const chunk of source) text += Buffer.from(chunk).toString();
      const lines = text.trimEnd().split('\n');
      uploads.set(
        importId,
        lines.map((line) => (JSON.parse(line) as { address: string }).address),
      );
      return { bytes: text.length };
    },
    read: notUsed,
    remove: async () => undefined,
    purge: notUsed,
  };
  const shared = {
    ...stores,
    clock,
    uploads: store,
    uploadLimits,
    retention: someRetention(),
    quotas: { runningImportsMax: 100, rejectedRowsMax: 1_000_000 },
    customers: { list: async (page: { limit: number }) => pageOf([{ id: 'cust_1' }], page) },
    reverifyTimes: { reverifyAfterMs: 7 * DAY_MS, reverifyFailedAfterMs: DAY_MS },
    reverifyWalks: inMemoryReverifyWalks(),
    reverifyProgress: inMemoryRunProgress(),
    importQueues: {
      sendPlan: async (body: Parameters<ReverifyDeps['importQueues']['sendPlan']>[0]) =>
        queues.put({ queue: 'plan', body }),
      sendDispatch: async (body: Parameters<ReverifyDeps['importQueues']['sendDispatch']>[0]) =>
        queues.put({ queue: 'dispatch', body }),
      sendCheck: notUsed,
      getOldestCheckSentAt: notUsed,
    },
    testConnection: notUsed,
    sendDeletion: notUsed,
  };
  return () => shared;
}
