import pLimit from 'p-limit';
import { retryLostRaces } from '../kernel/change-tagged.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { type RunProgressStore, runInSteps } from '../kernel/resumable-run.ts';
import { queueNames } from '../kernel/storage-names.ts';
import type { PoisonArchive, PoisonedMessage } from './poison-archive.ts';
import { type RequeueDeps, type Requeued, requeueMessages } from './requeue.ts';

export interface DecidePoisonDeps extends RequeueDeps {
  poisonArchive: Pick<PoisonArchive, 'get' | 'update' | 'list' | 'listRequeuing'>;
}

export interface FinishRequeuesDeps extends DecidePoisonDeps {
  requeueProgress: RunProgressStore;
}

/** What a decision about all messages of a queue has come to. */
export interface DecidedAll {
  /** Messages whose work began anew, or that were discarded. */
  decided: number;
  /** Messages whose work is done or no longer to be done. */
  nothingToDo: number;
  /** Messages that stay, because the customer has no free mailbox slot. */
  noSlot: number;
  /** There are more that can be decided. Repeat the call. */
  hasMore: boolean;
  /** Where the messages begin that were not looked at. A call that begins there passes over those that stay. */
  cursor?: string;
}

type Results = Pick<DecidedAll, 'decided' | 'nothingToDo' | 'noSlot'>;

/** Messages that one request decides about, at most. */
export const DECIDED_MAX = 500;
/** Pages that one request looks at, if the messages on them stay. */
const PAGES_MAX = 10;
const DECISIONS_AT_ONCE = 16;
/** A request that takes longer has died. */
const REQUEUING_MAX_MS = 60_000;
/** The timer runs every minute. */
const FINISH_WORK_MS = 30_000;

/** @throws DomainError `not_found` */
export function requireQueue(name: string): string {
  if (queueNames.includes(name)) return name;
  throw new DomainError('not_found', `There is no such queue. The queues are ${queueNames.join(', ')}.`);
}

/**
 * Begins the work of one poison message anew. A second call does nothing.
 *
 * The decision is noted first and then carried out. If the process dies in between, the timer carries it out.
 *
 * @throws DomainError `not_found`, `slot_limit_reached`
 */
export async function requeueOne(deps: DecidePoisonDeps, queue: string, key: string): Promise<Requeued> {
  await requireMessage(deps, queue, key);
  const entry = await decide(deps, queue, key, 'requeuing');
  if (!entry) return 'nothingToDo';
  const [result = 'nothingToDo'] = fulfilled(await carryOut(deps, queue, [entry]));
  if (result !== 'noSlot') return result;
  throw new DomainError(
    'slot_limit_reached',
    'The customer has no free mailbox slot for the mailbox of this message. Raise its `mailboxSlots`, or discard the message.',
    { context: { needed: 1, free: 0 } },
  );
}

/**
 * Discards one poison message: its work stays as it was settled. A second call does nothing.
 *
 * @throws DomainError `not_found`
 */
export async function discardOne(
  deps: DecidePoisonDeps,
  queue: string,
  key: string,
): Promise<'discarded' | 'nothingToDo'> {
  await requireMessage(deps, queue, key);
  return (await decide(deps, queue, key, 'discarded')) ? 'discarded' : 'nothingToDo';
}

/**
 * The same for all messages of a queue, up to `DECIDED_MAX` of them. Passes over messages that stay for want of a slot, so
 * that those behind them have their turn. While `hasMore`, each call leaves fewer messages.
 *
 * @param cursor from an earlier call, to go on behind what it has looked at
 */
export function requeueAll(deps: DecidePoisonDeps, queue: string, cursor?: string): Promise<DecidedAll> {
  return decideAll(deps, queue, cursor, (items) => requeuePage(deps, queue, items));
}

/** @see requeueAll */
export function discardAll(deps: DecidePoisonDeps, queue: string, cursor?: string): Promise<DecidedAll> {
  return decideAll(deps, queue, cursor, (items) => discardPage(deps, queue, items));
}

/** A page may be short or empty although more follow, so one page is not enough. */
async function decideAll(
  deps: DecidePoisonDeps,
  queue: string,
  from: string | undefined,
  decidePage: (items: readonly PoisonedMessage[]) => Promise<Results>,
): Promise<DecidedAll> {
  const sum = { decided: 0, nothingToDo: 0, noSlot: 0 };
  let cursor = from;
  let pages = 0;
  do {
    const limit = DECIDED_MAX - sum.decided - sum.nothingToDo;
    const page = await deps.poisonArchive.list(queue, { limit, ...(cursor !== undefined && { cursor }) });
    const result = await decidePage(page.items);
    sum.decided += result.decided;
    sum.nothingToDo += result.nothingToDo;
    sum.noSlot += result.noSlot;
    cursor = page.cursor;
  } while (cursor !== undefined && sum.decided + sum.nothingToDo < DECIDED_MAX && ++pages < PAGES_MAX);
  const hasMore = cursor !== undefined && sum.decided + sum.nothingToDo > 0;
  return { ...sum, hasMore, ...(cursor !== undefined && { cursor }) };
}

async function requeuePage(deps: DecidePoisonDeps, queue: string, items: readonly PoisonedMessage[]): Promise<Results> {
  const limit = pLimit(DECISIONS_AT_ONCE);
  const decided = await Promise.all(items.map(({ key }) => limit(() => decide(deps, queue, key, 'requeuing'))));
  const entries = decided.filter((entry) => entry !== undefined);
  const results = fulfilled(await carryOut(deps, queue, entries));
  const countOf = (result: Requeued) => results.filter((one) => one === result).length;
  return {
    decided: countOf('requeued'),
    nothingToDo: countOf('nothingToDo') + items.length - entries.length,
    noSlot: countOf('noSlot'),
  };
}

async function discardPage(deps: DecidePoisonDeps, queue: string, items: readonly PoisonedMessage[]): Promise<Results> {
  const limit = pLimit(DECISIONS_AT_ONCE);
  const decided = await Promise.all(items.map(({ key }) => limit(() => decide(deps, queue, key, 'discarded'))));
  const count = decided.filter((entry) => entry !== undefined).length;
  return { decided: count, nothingToDo: items.length - count, noSlot: 0 };
}

/**
 * Carries out what operators decided in requests whose process has died. One message that fails does not stop the others.
 * Works for a limited time, in one process at a time, and the next run goes on where this one stopped. Resolves to the
 * number of messages.
 *
 * @throws the error of the first message that has failed, after all others were carried out
 */
export async function finishRequeues(deps: FinishRequeuesDeps, log: Log): Promise<number> {
  const before = new Date(deps.clock.now().getTime() - REQUEUING_MAX_MS);
  const all: PromiseSettledResult<Requeued>[] = [];
  const finishPage = async (cursor: string | undefined) => {
    const request = { limit: DECIDED_MAX, ...(cursor !== undefined && { cursor }) };
    const page = await deps.poisonArchive.listRequeuing(before, request);
    for (const [queue, ofQueue] of Map.groupBy(page.items, (entry) => entry.queue)) {
      const results = await carryOut(deps, queue, ofQueue);
      for (const [i, result] of results.entries()) {
        if (result.status === 'fulfilled') continue;
        log('warn', 'requeue_failed', { queue, key: ofQueue[i]?.key, error: result.reason });
      }
      all.push(...results);
    }
    return page.cursor;
  };
  await runInSteps({ progress: deps.requeueProgress, clock: deps.clock }, finishPage, FINISH_WORK_MS);
  return fulfilled(all).length;
}

/** @throws DomainError `not_found` */
async function requireMessage({ poisonArchive }: DecidePoisonDeps, queue: string, key: string): Promise<void> {
  if (await poisonArchive.get(queue, key)) return;
  throw new DomainError('not_found', 'There is no such poison message.');
}

/**
 * Notes a decision. Resolves to the message if it is this caller's to carry out: it was open, or somebody began to requeue
 * it and has perhaps not finished.
 */
async function decide(
  { poisonArchive, clock }: DecidePoisonDeps,
  queue: string,
  key: string,
  state: 'requeuing' | 'discarded',
): Promise<PoisonedMessage | undefined> {
  const { entry } = await retryLostRaces(async () => {
    const found = await poisonArchive.get(queue, key);
    if (found?.value.state === 'requeuing' && state === 'requeuing') return { entry: found.value };
    if (found?.value.state !== 'open') return { entry: undefined };
    const decided: PoisonedMessage = { ...found.value, state, decidedAt: clock.now() };
    return (await poisonArchive.update(decided, found.tag)) === undefined ? undefined : { entry: decided };
  });
  return entry;
}

/** What fails stays `requeuing`, and the timer tries it again. */
async function carryOut(
  deps: DecidePoisonDeps,
  queue: string,
  entries: readonly PoisonedMessage[],
): Promise<PromiseSettledResult<Requeued>[]> {
  const results = await requeueMessages(deps, queue, entries);
  const limit = pLimit(DECISIONS_AT_ONCE);
  const closed = entries.map((entry, i) =>
    limit(async () => {
      const result = results[i];
      if (result?.status === 'rejected') throw result.reason;
      await close(deps, entry, result?.value ?? 'nothingToDo');
      return result?.value ?? 'nothingToDo';
    }),
  );
  return Promise.allSettled(closed);
}

/** @throws the first error */
function fulfilled<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** A message that was poisoned anew in the meantime is open again, and stays so. */
async function close(
  { poisonArchive }: DecidePoisonDeps,
  { queue, key }: PoisonedMessage,
  result: Requeued,
): Promise<void> {
  await retryLostRaces(async () => {
    const found = await poisonArchive.get(queue, key);
    if (found?.value.state !== 'requeuing') return 'done';
    const { decidedAt: _undone, ...open } = found.value;
    const next: PoisonedMessage =
      result === 'noSlot' ? { ...open, state: 'open' } : { ...found.value, state: 'requeued' };
    return (await poisonArchive.update(next, found.tag)) === undefined ? undefined : 'done';
  });
}
