import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { createPropagationSteps } from '../connections/propagation.ts';
import { createConnectionCache } from '../imports/checking/connection-cache.ts';
import { createImportCache } from '../imports/checking/import-cache.ts';
import { createRefusalWatch } from '../imports/checking/refusal-watch.ts';
import { createTenantRateLimiter } from '../imports/checking/tenant-rate-limiter.ts';
import type { Import } from '../imports/import.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import { createSerialByKey } from '../imports/ledger/serial-by-key.ts';
import { createSettler } from '../imports/ledger/settler.ts';
import { createTallyBook } from '../imports/ledger/tally-book.ts';
import { readUpload } from '../imports/upload/read-upload.ts';
import type { UploadStore } from '../imports/upload/upload-store.ts';
import type { Config } from './config.ts';

/** Deliveries of a message before it is poison. The same number as `maxDequeueCount` in host.json. */
const DELIVERIES_MAX = 5;
const PLAN_SHIFT_MS = 240_000;
/** Checks of one tenant at the same time to begin with: Outlook allows them by every reading of its limits. */
const TENANT_INITIAL = 4;
/** How long a check waits for a place in the process. Longer waits are spent on the queue. */
const PLACE_WAIT_MS = 2_000;
const REFUSAL_HELD_MS = 1_500;
/** A check waits for fewer answers than this, one after the other. */
const ANSWERS_OF_A_CHECK = 4;

interface ImportBuildDeps {
  imports: ImportStore;
  connections: ConnectionStore;
  ledger: Ledger;
  uploads: UploadStore;
}

/**
 * Builds what imports run on in this process: how rows are settled, how fast tenants are asked, how far dispatchers go.
 */
export function buildImports({ imports, connections, ledger, uploads }: ImportBuildDeps, settings: Config['settings']) {
  const processId = randomBytes(6).toString('hex');
  const serialByKey = createSerialByKey();
  const tallies = createTallyBook(processId);
  const uploadLimits = {
    maxBytes: settings.CSV_MAX_BYTES,
    maxRows: settings.CSV_MAX_ROWS,
    recordMaxBytes: settings.CSV_RECORD_MAX_BYTES,
    nameMaxLength: settings.NAME_MAX_LENGTH,
  };
  return {
    serialByKey,
    tallies,
    settler: createSettler(
      { ledger, serialByKey, tallies },
      { together: settings.SETTLE_TOGETHER, withinMs: settings.SETTLE_WITHIN },
    ),

    uploadLimits,
    readUpload: async (record: Import) => {
      const source = await uploads.read(record.customerId, record.id);
      return source && readUpload(record.uploadType, source, uploadLimits);
    },
    planShiftMs: PLAN_SHIFT_MS,
    planOverdueMs: settings.PLAN_OVERDUE_AFTER,
    pausedMaxMs: settings.PAUSED_MAX,

    leasing: { holder: processId, leaseMs: settings.DISPATCH_LEASE },
    dispatching: {
      windowTotal: settings.WINDOW_TOTAL,
      windowMin: settings.WINDOW_MIN,
      windowMax: settings.WINDOW_MAX,
      pollMs: settings.DISPATCH_POLL,
      shiftMs: settings.DISPATCH_SHIFT,
      overdue: { afterMs: settings.BATCH_OVERDUE_AFTER, maxMs: settings.BATCH_OVERDUE_MAX },
    },
    sleep: (ms: number) => sleep(ms),

    importCache: createImportCache({ imports }),
    connectionCache: createConnectionCache({ connections }),
    rateLimiter: createTenantRateLimiter({
      processMax: settings.CHECKS_AT_ONCE,
      tenantInitial: Math.min(TENANT_INITIAL, settings.CHECKS_AT_ONCE),
      tenantMax: settings.CHECKS_AT_ONCE,
      waitMs: PLACE_WAIT_MS,
      now: Date.now,
    }),
    refusals: createRefusalWatch({
      refusedInARowMax: settings.REPEATED_REFUSALS_MAX,
      holdMs: REFUSAL_HELD_MS,
      now: Date.now,
    }),
    propagation: createPropagationSteps(settings.PROPAGATION_STEPS),
    limits: {
      giveUpAfterMs: settings.CHECK_GIVE_UP_AFTER,
      retryBaseMs: settings.CHECK_RETRY_BASE,
      cleanupAfterMs: settings.CHECK_TIMEOUT * ANSWERS_OF_A_CHECK,
    },
    retryDelayMs: settings.STORAGE_RETRY_AFTER,
    deliveriesMax: DELIVERIES_MAX,
  };
}
