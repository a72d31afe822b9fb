import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { createPropagationSteps } from '../../../shared/connections/propagation.ts';
import { type CheckDeps, checkRow } from '../../../shared/imports/checking/check-row.ts';
import { createConnectionCache } from '../../../shared/imports/checking/connection-cache.ts';
import { createImportCache } from '../../../shared/imports/checking/import-cache.ts';
import { createRefusalWatch } from '../../../shared/imports/checking/refusal-watch.ts';
import { settlePoisoned } from '../../../shared/imports/checking/settle-poisoned.ts';
import { createTenantRateLimiter } from '../../../shared/imports/checking/tenant-rate-limiter.ts';
import { dispatchChecks } from '../../../shared/imports/dispatching/dispatch-checks.ts';
import type { DispatchDeps } from '../../../shared/imports/dispatching/dispatch-deps.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { createSerialByKey } from '../../../shared/imports/ledger/serial-by-key.ts';
import { createSettler } from '../../../shared/imports/ledger/settler.ts';
import { createTallyBook } from '../../../shared/imports/ledger/tally-book.ts';
import { type PlanDeps, planImport } from '../../../shared/imports/planning/plan-import.ts';
import { sweepImports } from '../../../shared/imports/sweep-imports.ts';
import type { ParsedUpload } from '../../../shared/imports/upload/parsed-row.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { Slots } from '../../../shared/plans/slots.ts';
import type { FastClock } from './fast-clock.ts';
import type { Faults } from './faults.ts';
import { faultyLedger } from './faulty-ledger.ts';
import { createLifetime, type Lifetime } from './lifetime.ts';
import type { SimulatedMailboxes } from './simulated-mailboxes.ts';
import type { QueuedMessage, QueueMessage, SimulatedQueues } from './simulated-queues.ts';

/** What all processes of a world share. */
interface SharedParts {
  faults: Faults;
  random: () => number;
  clock: FastClock;
  queues: SimulatedQueues;
  mailboxes: SimulatedMailboxes;
  ledger: Ledger;
  imports: ImportStore;
  connections: ConnectionStore;
  slots: Slots;
  /** How many checks may be on the queue. */
  window: number;
  readUpload(record: Import): Promise<ParsedUpload | undefined>;
  onEnded(record: Import): void;
}

interface ImportProcess {
  isBusy(): boolean;
  kill(): void;
}

const IN_FLIGHT_MAX = 16;
/** After this many deliveries the host moves a message to the poison queue. */
const DELIVERIES_MAX = 5;
/** How often the Functions host looks for messages, and how often the sweep runs. */
const POLL_MS = 200;
const SWEEP_MS = 20_000;

/** A process that takes messages from the queues as the Functions host does, and sweeps, until it is killed. */
export function startProcess(name: string, shared: SharedParts): ImportProcess {
  const { faults, random, clock, queues } = shared;
  const lifetime = createLifetime(clock, random);
  const deps = buildDeps(name, shared, lifetime);
  let inFlight = 0;

  async function handle({ message, deliveries }: QueuedMessage): Promise<void> {
    const { queue, body } = message;
    switch (queue) {
      case 'plan':
        return planImport(deps, body.customerId, body.importId);
      case 'dispatch':
        return dispatchChecks(deps, body);
      case 'check': {
        const retry = await checkRow(deps, body, deliveries > 1);
        if (retry) await deps.importQueues.sendCheck(retry.message, retry.delayMs);
        return;
      }
      case 'poison':
        return settlePoisoned(deps, body);
    }
  }

  async function deliver(item: QueuedMessage): Promise<void> {
    item.deliveries++;
    const delivery = item.deliveries;
    item.visibleAt = clock.nowMs() + (random() < faults.redelivered ? random() * 4_000 : 600_000);
    inFlight++;
    try {
      await handle(item);
      if (lifetime.isAlive()) queues.queued.delete(item);
    } catch (error) {
      if (!lifetime.isAlive() || !queues.queued.has(item)) return;
      if (error instanceof DomainError) {
        // A transient failure. The message is sent again, or lost, and then the sweep sends it.
        queues.queued.delete(item);
        if (random() < 0.8) queues.put(afterFailure(item.message), 15_000);
      } else if (delivery >= DELIVERIES_MAX) {
        queues.queued.delete(item);
        if (item.message.queue === 'check') queues.put({ queue: 'poison', body: item.message.body });
      } else item.visibleAt = clock.nowMs() + 30_000;
    } finally {
      inFlight--;
    }
  }

  async function takeMessages(): Promise<void> {
    while (lifetime.isAlive()) {
      const now = clock.nowMs();
      for (const item of queues.queued) {
        if (inFlight >= IN_FLIGHT_MAX) break;
        if (item.visibleAt <= now) void deliver(item);
      }
      await clock.sleep(POLL_MS);
    }
  }

  async function sweep(): Promise<void> {
    while (lifetime.isAlive()) {
      await clock.sleep(SWEEP_MS);
      if (lifetime.isAlive()) await sweepImports(deps);
    }
  }

  void takeMessages();
  void sweep();
  return { isBusy: () => inFlight > 0, kill: lifetime.end };
}

/** A failed check may have left a draft. */
function afterFailure(message: QueueMessage): QueueMessage {
  if (message.queue !== 'check') return message;
  return { queue: 'check', body: { ...message.body, mayHaveLeftovers: true } };
}

/** What one process builds for itself: its own caches and tallies, and a view of storage that ends with the process. */
function buildDeps(name: string, shared: SharedParts, lifetime: Lifetime) {
  const { faults, clock, connections, slots, window, readUpload, onEnded } = shared;
  const { whileAlive } = lifetime;
  const ledger = faultyLedger(shared, lifetime);
  const imports = {
    ...shared.imports,
    get: whileAlive(shared.imports.get),
    update: whileAlive(shared.imports.update),
  };
  const serialByKey = createSerialByKey();
  const tallies = createTallyBook(name);
  return {
    clock,
    sleep: clock.sleep,
    ledger,
    imports,
    connections,
    slots,
    serialByKey,
    tallies,
    importQueues: shared.queues.usedBy(lifetime),
    checker: shared.mailboxes.usedBy(lifetime),
    tokens: { forget: () => undefined },
    importCache: createImportCache({ imports }),
    connectionCache: createConnectionCache({ connections }),
    settler: createSettler({ ledger, serialByKey, tallies }, { together: 4, withinMs: 2 }),
    rateLimiter: createTenantRateLimiter({
      processMax: 6,
      tenantInitial: 4,
      tenantMax: 6,
      waitMs: clock.realMs(2_000),
      now: clock.nowMs,
    }),
    refusals: createRefusalWatch({ refusedInARowMax: 10_000, holdMs: clock.realMs(1_500), now: clock.nowMs }),
    propagation: createPropagationSteps(faults.grantSeconds > 0 ? [60_000, 120_000, 240_000] : [0]),
    importEvents: { ended: whileAlive(async (record: Import) => onEnded(record)) },
    limits: { giveUpAfterMs: 24 * 3_600_000, retryBaseMs: 2_000, cleanupAfterMs: 120_000 },
    readUpload,
    planShiftMs: 240_000,
    planOverdueMs: 60_000,
    pausedMaxMs: 30 * 86_400_000,
    customers: { exists: async () => true },
    leasing: { holder: name, leaseMs: 15_000 },
    dispatching: {
      windowTotal: window,
      windowMin: 4,
      windowMax: window,
      pollMs: 1_000,
      shiftMs: 30_000,
      overdue: { afterMs: 90_000, maxMs: 600_000 },
    },
  } satisfies CheckDeps & PlanDeps & DispatchDeps & Parameters<typeof sweepImports>[0];
}
