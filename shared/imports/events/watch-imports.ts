import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Import } from '../import.ts';
import { isEnded } from '../import.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { countSettled, sumTallies } from '../ledger/tally.ts';
import { createListener, hasSettled, type Listener } from './listener.ts';
import type { LogPage } from './take-batches.ts';
import type { ImportEvent, ImportView } from './tell.ts';

export interface WatchDeps {
  imports: Pick<ImportStore, 'get'>;
  ledger: Pick<Ledger, 'getPlan' | 'readSettled'>;
  clock: Clock;
  sleep: (ms: number) => Promise<void>;
  log: Log;
}

/** The imports that are watched in this process. */
export interface ImportWatches {
  /**
   * Tells what happens to an import, until it has ended, it is gone, or the signal is aborted. While storage is
   * unavailable, nothing is told.
   *
   * All listeners of an import share one reader, which makes at most one storage request a second.
   */
  watch(record: Import, lastEventId: string | undefined, signal: AbortSignal): AsyncGenerator<readonly ImportEvent[]>;
}

interface Watch extends ImportView {
  listeners: Set<Listener>;
  reads: number;
}

const READ_EVERY_MS = 1_000;
/** As long as nothing happens, the pause between two reads grows up to this. */
const READ_IDLE_MS = 3_000;
const IDLE_GROWTH = 1.25;
const STORAGE_PAUSE_MS = 3_000;
/** A listener that is further behind than this is read for in turns with the others. */
const BEHIND_MS = 10_000;

export function createImportWatches(deps: WatchDeps): ImportWatches {
  const watches = new Map<string, Watch>();

  return {
    async *watch(record, lastEventId, signal) {
      const listener = createListener(lastEventId);
      const watch = watches.get(record.id) ?? start(record);
      const leave = () => {
        listener.end();
        watch.listeners.delete(listener);
      };
      watch.listeners.add(listener);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      try {
        for (;;) {
          const next = listener.next();
          // What is known already need not be waited for.
          if (listener.readFrom() === undefined) listener.offer(watch, undefined, deps.clock.now());
          const events = await next;
          if (!events) return;
          yield events;
        }
      } finally {
        signal.removeEventListener('abort', leave);
        leave();
      }
    },
  };

  function start(record: Import): Watch {
    const watch: Watch = { record, plan: undefined, tallies: undefined, listeners: new Set(), reads: 0 };
    watches.set(record.id, watch);
    void keepReading(watch);
    return watch;
  }

  async function keepReading(watch: Watch): Promise<void> {
    // The first listener joins right after this function has begun.
    await undefined;
    let pauseMs = READ_EVERY_MS;
    while (watch.listeners.size > 0) {
      const ready = [...watch.listeners].filter((listener) => listener.isReady());
      if (ready.length > 0) pauseMs = await read(watch, ready, pauseMs);
      if (watch.listeners.size > 0) await deps.sleep(ready.length > 0 ? pauseMs : READ_EVERY_MS);
    }
    watches.delete(watch.record.id);
  }

  /** One look, which costs one request, or two at the beginning. Resolves to how long to pause afterwards. */
  async function read(watch: Watch, ready: readonly Listener[], pauseMs: number): Promise<number> {
    const isFirst = watch.reads === 0;
    try {
      const page = await readNext(deps, watch, ready);
      const now = deps.clock.now();
      const isNews = ready.map((listener) => listener.offer(watch, page, now)).includes(true);
      // The first look at a running import made two requests.
      if (isFirst && page) return 2 * READ_EVERY_MS;
      const isMore = page !== undefined && page.tallies === undefined;
      return isNews || isMore || isNearEnd(watch) ? READ_EVERY_MS : Math.min(READ_IDLE_MS, pauseMs * IDLE_GROWTH);
    } catch (error) {
      deps.log('warn', 'import_watch_failed', { importId: watch.record.id, error });
      return STORAGE_PAUSE_MS;
    }
  }
}

/** Reads what is most worth knowing now, and keeps it in the watch. Resolves to a page of the log, if that was read. */
async function readNext(deps: WatchDeps, watch: Watch, ready: readonly Listener[]): Promise<LogPage | undefined> {
  const turn = watch.reads++;
  const { record, plan } = watch;
  const isPlanning = record.status === 'accepted' || record.status === 'planning';
  const isPlanFinal = plan !== undefined && (plan.done || plan.closed);
  const isLogged = hasSettled(record);
  if (turn === 0 && isLogged && !isEnded(record.status)) {
    const [page] = await Promise.all([readLog(deps, watch, ready, turn), readPlan(deps, watch)]);
    return page;
  }
  if (isPlanning && isLogged && turn % 2 === 0) return readLog(deps, watch, ready, turn);
  if (isPlanning && isLogged) return turn % 4 === 1 ? readRecord(deps, watch) : readPlan(deps, watch);
  if (isPlanning || (!isPlanFinal && !isEnded(record.status))) {
    return turn % 2 === 0 && !isPlanFinal ? readPlan(deps, watch) : readRecord(deps, watch);
  }
  const isUrgent = isEnded(record.status) || ready.some((listener) => listener.isBehind());
  if (!isUrgent && turn % (isNearEnd(watch) ? 2 : 4) === 1) return readRecord(deps, watch);
  return readLog(deps, watch, ready, turn);
}

/** Whether every row is settled, so that the import ends within seconds. */
function isNearEnd({ plan, tallies = [] }: Watch): boolean {
  return plan !== undefined && countSettled(sumTallies(tallies)) >= plan.accepted;
}

async function readRecord(deps: WatchDeps, watch: Watch): Promise<undefined> {
  const found = await deps.imports.get(watch.record.customerId, watch.record.id);
  if (found) watch.record = found.value;
  else for (const listener of watch.listeners) listener.end();
}

async function readPlan(deps: WatchDeps, watch: Watch): Promise<undefined> {
  const { connectionId, id } = watch.record;
  watch.plan = (await deps.ledger.getPlan(connectionId, id))?.value;
}

async function readLog(deps: WatchDeps, watch: Watch, ready: readonly Listener[], turn: number): Promise<LogPage> {
  const { connectionId, id } = watch.record;
  const from = nextFrom(ready, turn, deps.clock.now().getTime());
  const page = await deps.ledger.readSettled(connectionId, id, new Date(from));
  if (page.tallies) watch.tallies = page.tallies;
  return { from, ...page };
}

/** Where the next page begins: at the listener that is furthest behind, but not for all the others each time. */
function nextFrom(ready: readonly Listener[], turn: number, now: number): number {
  const wanted = ready.map((listener) => listener.readFrom() ?? now);
  const newest = Math.max(...wanted);
  const isForAll = turn % 2 === 0;
  return Math.min(...wanted.filter((from) => isForAll || from >= newest - BEHIND_MS));
}
