import type { CheckOutcome, MailboxChecker } from '../../shared/checks/mailbox-checker.ts';
import type { Connection } from '../../shared/connections/connection.ts';
import { createPropagationSteps } from '../../shared/connections/propagation.ts';
import { checkRow } from '../../shared/imports/checking/check-row.ts';
import { draftSubjectOf } from '../../shared/imports/checking/cleanup-message.ts';
import { createConnectionCache } from '../../shared/imports/checking/connection-cache.ts';
import { createImportCache } from '../../shared/imports/checking/import-cache.ts';
import { createRefusalWatch } from '../../shared/imports/checking/refusal-watch.ts';
import { rowLocationOf } from '../../shared/imports/checking/row-location.ts';
import { createTenantRateLimiter } from '../../shared/imports/checking/tenant-rate-limiter.ts';
import { dispatchChecks } from '../../shared/imports/dispatching/dispatch-checks.ts';
import type { Import } from '../../shared/imports/import.ts';
import type { ImportQueues } from '../../shared/imports/import-queues.ts';
import type { Ledger } from '../../shared/imports/ledger/ledger.ts';
import { createSerialByKey } from '../../shared/imports/ledger/serial-by-key.ts';
import { createSettler } from '../../shared/imports/ledger/settler.ts';
import { createTallyBook } from '../../shared/imports/ledger/tally-book.ts';
import type { CheckMessage, ImportMessage } from '../../shared/imports/messages.ts';
import { planImport } from '../../shared/imports/planning/plan-import.ts';
import { sweepImports } from '../../shared/imports/sweep-imports.ts';
import type { ParsedRow } from '../../shared/imports/upload/parsed-row.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { inMemoryConnections } from '../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../fakes/in-memory-ledger.ts';
import { aConnection } from './records.ts';

/** What may go wrong, as probabilities per call or per delivery. */
export interface Faults {
  /** A commit whose answer is lost: committed, not committed, or committed later. */
  lost: number;
  /** A message that is delivered a second time while the first delivery is still at work. */
  twice: number;
  /** Processes killed in the course of the run. */
  kills: number;
  /** A check that Microsoft throttles: a short wait, or one that is written into the row. */
  throttled: number;
  /** A check that dies on a defect of ours. */
  defects: number;
  /** Grants that need so many seconds, and so many more since anybody last asked: until then every mailbox is refused. */
  grantsAfter: number;
}

export interface World {
  ledger: Ledger;
  imports: ReturnType<typeof inMemoryImports>;
  connection: Connection;
  slotsUsed: () => number;
  ended: string[];
  startImport(rows: readonly string[]): Promise<Import>;
  /** Runs until every import has ended, or rejects after a while. */
  run(): Promise<void>;
  drafts: Map<string, number>;
  /** The most messages of checks that waited at once. */
  mostWaiting: () => number;
  verdictOf(address: string): 'passed' | 'failed' | 'inconclusive';
  /** Every check that was asked of Microsoft, in seconds of the run. */
  asked: { at: number; address: string }[];
  setVerdict(verdict: (address: string) => 'passed' | 'failed' | 'inconclusive'): void;
}

/** So many seconds of the import machinery pass in one real second. */
const SPEED = 200;

/**
 * The import machinery itself, between queues and stores that fail, with processes that die: two processes take messages
 * as the Functions host hands them out, and are started again when killed. The faults follow from the seed; the timing
 * is the machine's.
 */
export function createWorld(
  seed: number,
  faults: Faults,
  options: { slots?: number; window?: number; refusedInARowMax?: number } = {},
): World {
  const random = mulberry32(seed);
  const started = Date.now();
  const clock = { now: () => new Date(Date.UTC(2026, 0, 1) + (Date.now() - started) * SPEED) };
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms / SPEED));
  const ledger = inMemoryLedger();
  const imports = inMemoryImports();
  const uploads = new Map<string, readonly string[]>();
  const drafts = new Map<string, number>();
  const connection = aConnection({ grantsChangedAt: clock.now() });
  const connections = inMemoryConnections();
  void connections.insert(connection);
  const asked: World['asked'] = [];
  let grantedAt = clock.now().getTime() + faults.grantsAfter * 1000;
  // As with Microsoft there is an end to it, before the last step, however slow this machine is.
  const grantedLatest = clock.now().getTime() + 4 * faults.grantsAfter * 1000;
  const slots = inMemorySlots(options.slots ?? 10_000);
  const ended: string[] = [];
  let mostWaiting = 0;
  let serial = 0;

  type Sent = { queue: 'plan' | 'dispatch'; body: ImportMessage } | { queue: 'check' | 'poison'; body: CheckMessage };
  type Waiting = Sent & { visibleAt: number; insertedAt: number; deliveries: number };
  const messages = new Set<Waiting>();
  const put = (sent: Sent, delayMs = 0) => {
    const now = clock.now().getTime();
    messages.add({ ...structuredClone(sent), visibleAt: now + delayMs, insertedAt: now, deliveries: 0 });
    // Rows, not messages: on a slow machine a batch can become overdue and be sent again, which adds no row.
    const rows = [...messages].flatMap(({ queue, body }) =>
      queue === 'check' ? [`${body.importId}:${body.line}`] : [],
    );
    mostWaiting = Math.max(mostWaiting, new Set(rows).size);
  };

  let verdictOf = (address: string): 'passed' | 'failed' | 'inconclusive' => {
    const kinds = ['passed', 'passed', 'passed', 'failed', 'inconclusive'] as const;
    return kinds[hash(address) % kinds.length] ?? 'passed';
  };

  function startProcess() {
    const self = { alive: true };
    // What a dead process still has in flight never comes back to it.
    const living =
      <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        if (!self.alive) return new Promise<never>(() => {});
        await sleep(random() * 20);
        if (!self.alive) return new Promise<never>(() => {});
        const result = await call(...args);
        return self.alive ? result : new Promise<never>(() => {});
      };
    const away = () => new DomainError('storage_unavailable', 'lost');
    const importQueues: ImportQueues = {
      sendPlan: living(async (message, delay) => put({ queue: 'plan', body: message }, delay)),
      sendDispatch: living(async (message, delay) => put({ queue: 'dispatch', body: message }, delay)),
      sendCheck: living(async (message, delay) => put({ queue: 'check', body: message }, delay)),
      getOldestCheckSentAt: living(async () => {
        const now = clock.now().getTime();
        const visible = [...messages].filter((message) => message.queue === 'check' && message.visibleAt <= now);
        const oldest = visible.map((message) => message.insertedAt).sort((a, b) => a - b)[0];
        return oldest === undefined ? undefined : new Date(oldest);
      }),
    };
    const flaky: Ledger = {
      ...ledger,
      commit: living(async (connectionId, changes) => {
        if (random() >= faults.lost) return ledger.commit(connectionId, changes);
        const fate = random();
        if (fate < 0.4) await ledger.commit(connectionId, changes);
        else if (fate < 0.7) setTimeout(() => void ledger.commit(connectionId, changes), (random() * 40_000) / SPEED);
        throw away();
      }),
      getRow: living(ledger.getRow),
      findRows: living(ledger.findRows),
      getPlan: living(ledger.getPlan),
      listTallies: living(ledger.listTallies),
      getMailbox: living(ledger.getMailbox),
    };
    const store = { ...imports, get: living(imports.get), update: living(imports.update) };
    const checker: MailboxChecker = {
      async check(input) {
        const leave = (by: number) =>
          drafts.set(input.draftSubject, Math.max(0, (drafts.get(input.draftSubject) ?? 0) + by));
        if (input.cleanFirst) drafts.delete(input.draftSubject);
        leave(1);
        await living(async () => {})();
        await sleep(random() * 300);
        await living(async () => {})();
        drafts.delete(input.draftSubject);
        if (random() < faults.defects) throw new Error('a defect in the check');
        if (random() < faults.throttled) {
          return {
            kind: 'wait',
            cause: 'throttled',
            seconds: random() < 0.5 ? 5 : 90,
            priorFindings: {},
          } satisfies CheckOutcome;
        }
        const now = clock.now();
        asked.push({ at: (now.getTime() - Date.UTC(2026, 0, 1)) / 1000, address: input.address });
        const isGranted = now.getTime() >= grantedAt;
        const prolonged = Math.min(grantedLatest, now.getTime() + faults.grantsAfter * 1000);
        if (!isGranted) grantedAt = Math.max(grantedAt, prolonged);
        const verdict = isGranted ? verdictOf(input.address) : 'failed';
        const finding = {
          verdict,
          checkedAt: now,
          ...(verdict === 'failed' && {
            cause: 'permission_missing' as const,
            microsoftCode: 'ErrorAccessDenied',
            denial: { byPolicy: false, token: 'lacks' as const, mailboxOpened: false },
          }),
        };
        return {
          kind: 'checked',
          findings: { 'graph.readWrite': finding, 'graph.send': finding },
          mailboxKind: 'user',
        };
      },
      removeLeftovers: living(async (_connection, _address, draftSubject) => void drafts.delete(draftSubject)),
    };
    const serialByKey = createSerialByKey();
    const tallies = createTallyBook(`p${++serial}`);
    const deps = {
      clock,
      ledger: flaky,
      imports: store,
      connections,
      serialByKey,
      tallies,
      importQueues,
      checker,
      slots,
      rateLimiter: createTenantRateLimiter({
        processMax: 6,
        tenantInitial: 4,
        tenantMax: 6,
        waitMs: 2000 / SPEED,
        now: () => clock.now().getTime(),
      }),
      refusals: createRefusalWatch({
        refusedInARowMax: options.refusedInARowMax ?? 10_000,
        holdMs: 1500 / SPEED,
        now: () => clock.now().getTime(),
      }),
      propagation: createPropagationSteps(faults.grantsAfter > 0 ? [60_000, 120_000, 240_000] : [0]),
      tokens: { forget: () => undefined },
      importCache: createImportCache({ imports: store }),
      connectionCache: createConnectionCache({ connections }),
      settler: createSettler({ ledger: flaky, serialByKey, tallies }, { together: 4, withinMs: 2 }),
      importEvents: { ended: living(async (record: Import) => void ended.push(record.id)) },
      limits: { giveUpAfterMs: 24 * 3600_000, retryBaseMs: 2000, cleanupAfterMs: 120_000 },
      planShiftMs: 240_000,
      planOverdueMs: 60_000,
      customers: { exists: async () => true },
      sleep,
      readUpload: async (record: Import) => {
        const lines = uploads.get(record.id);
        return (
          lines && {
            columns: { used: {}, ignored: [], delimiter: ',' as const, encoding: 'utf-8' as const },
            rows: toRows(lines),
          }
        );
      },
      dispatching: {
        holder: `p${serial}`,
        windowTotal: options.window ?? 24,
        windowMin: 4,
        windowMax: options.window ?? 24,
        pollMs: 1000,
        shiftMs: 30_000,
        leaseMs: 15_000,
        overdue: { afterMs: 90_000, maxMs: 600_000 },
      },
    };

    const afterFailure = ({ queue, body }: Waiting): Sent =>
      queue === 'check' ? { queue, body: { ...body, mayHaveLeftovers: true } } : ({ queue, body } as Sent);

    async function handle(message: Waiting): Promise<void> {
      const { queue, body } = message;
      switch (queue) {
        case 'plan':
          return planImport(deps, body.customerId, body.importId);
        case 'dispatch':
          return dispatchChecks(deps, body.customerId, body.importId);
        case 'check': {
          const retry = await checkRow(deps, body, message.deliveries > 1);
          if (retry) await importQueues.sendCheck(retry.message, retry.delayMs);
          return;
        }
        case 'poison':
          await checker.removeLeftovers(connection, '', draftSubjectOf(body));
          await deps.settler.settle({
            ...rowLocationOf(body),
            state: 'failed',
            row: { cause: 'internal_error' },
            mailbox: { status: 'failed', openRow: null },
          });
      }
    }

    let inFlight = 0;
    async function deliver(message: Waiting): Promise<void> {
      message.deliveries++;
      const delivery = message.deliveries;
      message.visibleAt = clock.now().getTime() + (random() < faults.twice ? random() * 4000 : 600_000);
      inFlight++;
      try {
        await handle(message);
        if (self.alive) messages.delete(message);
      } catch (error) {
        if (!self.alive || !messages.has(message)) return;
        if (error instanceof DomainError) {
          // A transient failure: sent again, or left to the sweep.
          messages.delete(message);
          if (random() < 0.8) put(afterFailure(message), 15_000);
        } else if (delivery >= 5) {
          messages.delete(message);
          if (message.queue === 'check') put({ queue: 'poison', body: message.body });
        } else message.visibleAt = clock.now().getTime() + 30_000;
      } finally {
        inFlight--;
      }
    }

    void (async () => {
      while (self.alive) {
        const now = clock.now().getTime();
        for (const message of messages) {
          if (inFlight >= 16) break;
          if (message.visibleAt <= now) void deliver(message);
        }
        await sleep(200);
      }
    })();
    void (async () => {
      while (self.alive) {
        await sleep(20_000);
        if (self.alive) await sweepImports(deps);
      }
    })();
    return {
      isBusy: () => inFlight > 0,
      kill() {
        self.alive = false;
      },
    };
  }

  const processes = [startProcess(), startProcess()];

  return {
    ledger,
    imports,
    connection,
    ended,
    drafts,
    verdictOf: (address) => verdictOf(address),
    setVerdict: (verdict) => {
      verdictOf = verdict;
    },
    asked,
    slotsUsed: () => slots.used(),
    mostWaiting: () => mostWaiting,
    async startImport(rows) {
      const record: Import = {
        id: `imp_${++serial}`,
        customerId: 'cust_1',
        connectionId: connection.id,
        status: 'accepted',
        epoch: 1,
        cursor: 0,
        dispatched: 0,
        batches: [],
        eventPending: false,
        uploadType: 'text/csv',
        createdAt: clock.now(),
      };
      uploads.set(record.id, rows);
      await imports.openPointer({
        importId: record.id,
        customerId: 'cust_1',
        connectionId: connection.id,
        openedAt: clock.now(),
      });
      await imports.insert(record);
      put({ queue: 'plan', body: { v: 1, customerId: 'cust_1', importId: record.id } });
      return record;
    },
    async run() {
      let kills = faults.kills;
      const until = Date.now() + 20_000;
      while ((await imports.listOpen()).length > 0) {
        if (Date.now() > until) throw new Error('an import did not end');
        await sleep(2000);
        if (kills > 0 && random() < 0.1) {
          kills--;
          const victim = Math.floor(random() * processes.length);
          processes[victim]?.kill();
          processes[victim] = startProcess();
        }
      }
      // Late duplicates may still be under way; they end by themselves.
      do await sleep(20_000);
      while (messages.size > 0 || processes.some((process) => process.isBusy()));
      for (const process of processes) process.kill();
    },
  };
}

async function* toRows(lines: readonly string[]): AsyncGenerator<ParsedRow> {
  for (const [i, address] of lines.entries()) {
    const line = i + 2;
    if (address === '') yield { line, ok: false, address, code: 'address_missing', message: 'There is no address.' };
    else yield { line, ok: true, address };
  }
}

function inMemorySlots(limit: number) {
  const claims = new Map<string, { slots: number; released: boolean }>();
  let used = 0;
  return {
    used: () => used,
    async claim(_customerId: string, importId: string, wanted: number) {
      const claim = claims.get(importId);
      if (claim) return claim.released ? ('released' as const) : ('already' as const);
      if (used + wanted > limit) return 'limit' as const;
      used += wanted;
      claims.set(importId, { slots: wanted, released: false });
      return 'claimed' as const;
    },
    async trim(_customerId: string, importId: string, freed: number) {
      const claim = claims.get(importId);
      if (claim?.released) return;
      if (claim) used -= freed;
      claims.set(importId, { slots: claim?.slots ?? 0, released: true });
    },
  };
}

function hash(text: string): number {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 16777619) >>> 0;
  return value;
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
