import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { createPropagationSteps } from '../connections/grants/propagation.ts';
import { createConnectionCache } from '../imports/checking/connection-cache.ts';
import { createHeartbeat } from '../imports/checking/heartbeat.ts';
import { createImportCache } from '../imports/checking/import-cache.ts';
import { createTenantGate } from '../imports/checking/tenant-gate.ts';
import { createMessagePool, type MessagePoolStore } from '../imports/dispatching/message-pool.ts';
import type { Import } from '../imports/import.ts';
import type { ImportQueues } from '../imports/import-queues.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import { createReportBook } from '../imports/ledger/report-book.ts';
import { createSerialByKey } from '../imports/ledger/serial-by-key.ts';
import { createSettler } from '../imports/ledger/settler.ts';
import { createTallyBook } from '../imports/ledger/tally-book.ts';
import { createTellChecked } from '../imports/ledger/tell-checked.ts';
import { readStoredUpload } from '../imports/planning/read-stored-upload.ts';
import type { UploadStore } from '../imports/upload/upload-store.ts';
import { createWorkbookReader } from '../imports/upload/xlsx/read-workbook.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { tracedSettler } from './build-telemetry.ts';
import type { Config } from './config.ts';

/** Deliveries of a message before it is poison. The same number as `maxDequeueCount` in host.json. */
const DELIVERIES_MAX = 5;
const PLAN_SHIFT_MS = 240_000;
/** A check waits for fewer answers than this, one after the other. */
const ANSWERS_OF_A_CHECK = 4;

interface ImportBuildDeps {
  imports: ImportStore;
  connections: ConnectionStore;
  ledger: Ledger;
  uploads: UploadStore;
  messagePoolStore: MessagePoolStore;
  importQueues: ImportQueues;
  clock: Clock;
  log: Log;
}

/** Builds what imports run on in this process: how rows are settled, how many checks run, how far dispatchers go. */
export function buildImports(stores: ImportBuildDeps, settings: Config['settings']) {
  const { imports, connections, ledger, uploads, importQueues, clock } = stores;
  const processId = randomBytes(6).toString('hex');
  const serialByKey = createSerialByKey();
  const tenantGate = createTenantGate({ checksMax: settings.CHECKS_AT_ONCE, now: Date.now });
  const reports = createReportBook({ clock, running: tenantGate.running });
  const tallies = createTallyBook(processId, reports, clock, createTellChecked(stores.log));
  const pause = (ms: number) => sleep(ms);
  const plainSettler = createSettler(
    { ledger, serialByKey, tallies, reports, clock, sleep: pause },
    { together: settings.SETTLE_TOGETHER, withinMs: settings.SETTLE_WITHIN },
  );
  const uploadLimits = {
    maxBytes: settings.CSV_MAX_BYTES,
    maxRows: settings.CSV_MAX_ROWS,
    recordMaxBytes: settings.CSV_RECORD_MAX_BYTES,
    nameMaxLength: settings.NAME_MAX_LENGTH,
  };
  const settler = tracedSettler(plainSettler);
  return {
    serialByKey,
    tallies,
    reports,
    settler,
    tenantGate,
    heartbeat: createHeartbeat({ reports, settler, clock, sleep: pause }),

    uploadLimits,
    readWorkbook: createWorkbookReader({
      ...uploadLimits,
      workbookMaxBytes: settings.WORKBOOK_MAX_BYTES,
      unpackedMaxBytes: settings.WORKBOOK_UNPACKED_MAX_BYTES,
    }),
    readUpload: (record: Import, afterLine: number) =>
      readStoredUpload({ uploads, connections, uploadLimits }, record, afterLine),
    planShiftMs: PLAN_SHIFT_MS,
    planOverdueMs: settings.PLAN_OVERDUE_AFTER,
    pausedMaxMs: settings.PAUSED_MAX,

    leasing: { holder: processId, leaseMs: settings.DISPATCH_LEASE },
    dispatching: {
      windowTotal: settings.WINDOW_TOTAL,
      checksMax: settings.CHECKS_AT_ONCE,
      refusalsMax: settings.REPEATED_REFUSALS_MAX,
      shiftMs: settings.DISPATCH_SHIFT,
    },
    messagePool: createMessagePool(
      { store: stores.messagePoolStore, importQueues, clock },
      { totalMax: settings.WINDOW_TOTAL },
    ),
    sleep: pause,

    importCache: createImportCache({ imports, clock }),
    connectionCache: createConnectionCache({ connections, clock }),
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
