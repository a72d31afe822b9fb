import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { createPropagationSteps } from '../../../shared/connections/grants/propagation.ts';
import { type CheckDeps, checkRow } from '../../../shared/imports/checking/check-row.ts';
import { createConnectionCache } from '../../../shared/imports/checking/connection-cache.ts';
import { createHeartbeat } from '../../../shared/imports/checking/heartbeat.ts';
import { createImportCache } from '../../../shared/imports/checking/import-cache.ts';
import { settlePoisoned } from '../../../shared/imports/checking/settle-poisoned.ts';
import { createTenantGate } from '../../../shared/imports/checking/tenant-gate.ts';
import { dispatchChecks } from '../../../shared/imports/dispatching/dispatch-checks.ts';
import type { DispatchDeps } from '../../../shared/imports/dispatching/dispatch-deps.ts';
import { createMessagePool, type MessagePoolStore } from '../../../shared/imports/dispatching/message-pool.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { createReportBook } from '../../../shared/imports/ledger/report-book.ts';
import { createSerialByKey } from '../../../shared/imports/ledger/serial-by-key.ts';
import { createSettler } from '../../../shared/imports/ledger/settler.ts';
import { createTallyBook } from '../../../shared/imports/ledger/tally-book.ts';
import type { TenantPaceStore } from '../../../shared/imports/pacing/tenant-pace.ts';
import { type PlanDeps, planImport } from '../../../shared/imports/planning/plan-import.ts';
import { sweepImports } from '../../../shared/imports/recovering/sweep-imports.ts';
import type { ParsedUpload } from '../../../shared/imports/upload/parsed-row.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { Slots } from '../../../shared/plans/slots.ts';
import { someRetention } from '../some-retention.ts';
import type { Faults } from './faults.ts';
import { faultyLedger } from './faulty-ledger.ts';
import { createLifetime, type Lifetime } from './lifetime.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { SimulatedMailboxes } from './simulated-mailboxes.ts';
import type { QueuedMessage, QueueMessage, SimulatedQueues } from './simulated-queues.ts';

/** What all processes of a world share. */
interface SharedParts {
  faults: Faults;
  random: () => number;
  clock: SimulatedClock;
  queues: SimulatedQueues;
  mailboxes: SimulatedMailboxes;
  ledger: Ledger;
  imports: ImportStore;
  tenantPaces: Pick<TenantPaceStore, 'get' | 'put'>;
  messagePoolStore: MessagePoolStore;
  connections: ConnectionStore;
  slots: Slots;
  /** How many checks may be on the queue. */
  windowTotal: number;
  readUpload(record: Import, afterLine: number): Promise<ParsedUpload | undefined>;
  onEnded(record: Import): void;
}

export interface ImportProcess {
  isBusy(): boolean;
  /** Whether it holds the lease of an import. */
  isDispatching(): boolean;
  /** The lines of an import whose messages it has in hand. */
  handOf(importId: string): number[];
  kill(): void;
}

/** As in host.json: messages of one receive, and how few are in hand when more are asked for. */
const BATCH_SIZE = 32;
const NEW_BATCH_THRESHOLD = 32;
/** After this many deliveries the host moves a message to the poison queue. */
const DELIVERIES_MAX = 5;
const POLL_MIN_MS = 100;
const POLL_MAX_MS = 1_000;
const VISIBILITY_MS = 600_000;
const RETRY_MS = 5_000;
const SWEEP_MS = 60_000;

/** A process that takes messages from the queues as the Functions host does, and sweeps, until it is killed. */
export function startProcess(name: string, shared: SharedParts): ImportProcess {
  const { faults, random, clock, queues } = shared;
  const lifetime = createLifetime(clock, random);
  const deps = buildDeps(name, shared, lifetime);
  const inHand = { plan: 0, dispatch: 0, check: 0, poison: 0 };

  async function handle({ message, deliveries }: QueuedMessage): Promise<void> {
    const { queue, body } = message;
    switch (queue) {
      case 'plan':
        return planImport(deps, body.customerId, body.importId);
      case 'dispatch':
        return dispatchChecks(deps, body);
      case 'check':
        return checkRow(deps, body, deliveries > 1);
      case 'poison':
        return settlePoisoned(deps, body);
    }
  }

  async function deliver(item: QueuedMessage): Promise<void> {
    const { queue } = item.message;
    item.deliveries++;
    const delivery = item.deliveries;
    item.visibleAt = clock.nowMs() + (random() < faults.redelivered ? random() * 4_000 : VISIBILITY_MS);
    inHand[queue]++;
    try {
      await handle(item);
      if (lifetime.isAlive()) queues.remove(item);
    } catch (error) {
      if (!lifetime.isAlive() || !queues.queued.has(item)) return;
      if (error instanceof DomainError) {
        queues.remove(item);
        sendAfterFailure(item.message);
      } else if (delivery >= DELIVERIES_MAX) {
        queues.remove(item);
        if (item.message.queue === 'check') queues.put({ queue: 'poison', body: item.message.body });
      } else item.visibleAt = clock.nowMs() + 30_000;
    } finally {
      inHand[queue]--;
    }
  }

  /** As `createConsumer` does. The message can be lost, and then the sweep sends it. */
  function sendAfterFailure(message: QueueMessage): void {
    if (message.queue === 'check' && !message.body.cleanupOnly) return;
    if (message.queue === 'check' || random() < 0.8) queues.put(message, RETRY_MS);
  }

  function takeMessages(queue: QueueMessage['queue']): number {
    if (inHand[queue] > NEW_BATCH_THRESHOLD) return 0;
    const now = clock.nowMs();
    let taken = 0;
    for (const item of queues.queued) {
      if (taken >= BATCH_SIZE) break;
      if (item.message.queue !== queue || item.visibleAt > now) continue;
      taken++;
      void deliver(item);
    }
    return taken;
  }

  async function listen(queue: QueueMessage['queue']): Promise<void> {
    let pauseMs = POLL_MIN_MS;
    while (lifetime.isAlive()) {
      const taken = takeMessages(queue);
      pauseMs = taken > 0 ? POLL_MIN_MS : Math.min(POLL_MAX_MS, pauseMs * 2);
      const isFull = inHand[queue] > NEW_BATCH_THRESHOLD;
      await clock.sleep(taken > 0 || isFull ? 20 : pauseMs);
    }
  }

  async function sweep(): Promise<void> {
    while (lifetime.isAlive()) {
      await clock.sleep(SWEEP_MS);
      if (lifetime.isAlive()) await sweepImports(deps);
    }
  }

  for (const queue of ['plan', 'dispatch', 'check', 'poison'] as const) void listen(queue);
  void sweep();
  return {
    isBusy: () => Object.values(inHand).some((count) => count > 0),
    isDispatching: () => inHand.dispatch > 0,
    handOf: (importId) => deps.reports.write(importId)?.hand ?? [],
    kill: lifetime.end,
  };
}

/** What one process builds for itself: its own caches and tallies, and a view of storage that ends with the process. */
function buildDeps(name: string, shared: SharedParts, lifetime: Lifetime) {
  const { faults, clock, slots, windowTotal, readUpload, onEnded } = shared;
  const { whileAlive } = lifetime;
  const ledger = faultyLedger(shared, lifetime);
  const imports = {
    ...shared.imports,
    get: whileAlive(shared.imports.get),
    update: whileAlive(shared.imports.update),
  };
  const connections = { ...shared.connections, get: whileAlive(shared.connections.get) };
  const tenantPaces = { get: whileAlive(shared.tenantPaces.get), put: whileAlive(shared.tenantPaces.put) };
  const store: MessagePoolStore = {
    read: whileAlive(shared.messagePoolStore.read),
    putSize: whileAlive(shared.messagePoolStore.putSize),
    putClaim: whileAlive(shared.messagePoolStore.putClaim),
    removeClaim: whileAlive(shared.messagePoolStore.removeClaim),
  };
  const importQueues = shared.queues.usedBy(lifetime);
  const sleep = async (ms: number) => {
    await clock.sleep(ms);
    if (!lifetime.isAlive()) await new Promise<never>(() => {});
  };
  const serialByKey = createSerialByKey();
  const tenantGate = createTenantGate({ checksMax: 24, now: clock.nowMs });
  const reports = createReportBook({ clock, running: tenantGate.running });
  const tallies = createTallyBook(name, reports, clock);
  const settler = createSettler(
    { ledger, serialByKey, tallies, reports, clock, sleep },
    { together: 8, withinMs: 250 },
  );
  return {
    clock,
    sleep,
    ledger,
    imports,
    connections,
    sendDeletion: async () => undefined,
    testConnection: async () => undefined,
    slots,
    serialByKey,
    tallies,
    reports,
    tenantPaces,
    importQueues,
    settler,
    tenantGate,
    messagePool: createMessagePool({ store, importQueues, clock }, { totalMax: windowTotal }),
    heartbeat: createHeartbeat({ reports, settler, clock, sleep }),
    checker: shared.mailboxes.usedBy(lifetime),
    tokens: { forget: () => undefined },
    importCache: createImportCache({ imports, clock }),
    connectionCache: createConnectionCache({ connections, clock }),
    propagation: createPropagationSteps(faults.grantSeconds > 0 ? [60_000, 120_000, 240_000] : [0]),
    retention: someRetention(),
    importEvents: { ended: whileAlive(async (record: Import) => onEnded(record)) },
    // The defaults of a deployment, so that what is tested here is what recovers there.
    limits: { giveUpAfterMs: 24 * 3_600_000, retryBaseMs: 1_000, cleanupAfterMs: 120_000 },
    readUpload,
    planShiftMs: 240_000,
    planOverdueMs: 90_000,
    pausedMaxMs: 30 * 86_400_000,
    customers: { exists: async () => true },
    processLog: () => undefined,
    leasing: { holder: name, leaseMs: 10_000 },
    dispatching: { windowTotal, checksMax: 24, refusalsMax: 20, shiftMs: 300_000 },
  } satisfies CheckDeps & PlanDeps & DispatchDeps & Parameters<typeof sweepImports>[0];
}
