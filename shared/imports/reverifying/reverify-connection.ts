import type { Connection } from '../../connections/connection.ts';
import { DomainError } from '../../kernel/errors.ts';
import { createRepeatableIds } from '../../kernel/ids.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type StartActionDeps, startAction } from '../starting/start-action.ts';
import { cancelIfStuck } from './cancel-stuck.ts';
import { dueAt, isReverified, type ReverifyTimes } from './due-at.ts';
import type { OpenWork } from './open-work.ts';
import type { ReverifyWalk, ReverifyWalks } from './reverify-walk.ts';

export interface ReverifyConnectionDeps extends Omit<StartActionDeps, 'newId' | 'importQueues'> {
  importQueues: ImportQueues;
  /** Tests a connection now. Its status follows. */
  testConnection: (customerId: string, connectionId: string) => Promise<unknown>;
  ledger: Pick<Ledger, 'findMailboxes'>;
  reverifyWalks: ReverifyWalks;
  reverifyTimes: ReverifyTimes;
}

export interface Reverified {
  /** Mailboxes whose check was started. */
  started: number;
  /** Mailboxes that are due and need a slot, and have to wait for one. */
  withoutSlot: number;
}

/** Mailboxes in one re-verification. An import that starts beside it does not have to share the tenant for long. */
export const REVERIFIED_TOGETHER = 1_000;
const PAGE_SIZE = 1_000;
/** Pages that one step reads. The next step goes on after them. */
const PAGES_MAX = 10;
/** Walks through a connection in the time in which a failed mailbox is due again: one an hour, with a day. */
const WALKS_PER_INTERVAL = 24;
/** No re-verification is started beside so many open imports of the customer, so that it never keeps an import out. */
const OPEN_MAX = 4;

/** Failed mailboxes in one re-verification. With a walk an hour, all of a step have their turn within a day. */
const SLOTS_MAX = 50;
/** The share of the free slots that they may take. The others stay free for imports. */
const SLOTS_SHARE = 1 / 2;

const nothing: Reverified = { started: 0, withoutSlot: 0 };

/**
 * Takes the next step through the mailboxes of a connection, and starts one check of those that are due. Does nothing
 * while an import runs in the tenant, while the last re-verification has not ended, or if the connection is not ready. One
 * that is failing is tested again once a day. A re-verification that paused with a finding is cancelled.
 *
 * Repeatable: two processes that take the same step start the same action, because its ID follows from the step.
 */
export async function reverifyConnection(
  deps: ReverifyConnectionDeps,
  connection: Connection,
  work: OpenWork,
): Promise<Reverified> {
  const open = work.reverificationOf(connection.id);
  if (open) await cancelIfStuck(deps, open);
  if (connection.status === 'failing') await testAgain(deps, connection);
  if (open || connection.status !== 'ready' || work.isBusy(connection)) return nothing;
  const now = deps.clock.now();
  const found = await deps.reverifyWalks.get(connection.id);
  const walk = nextStep(found?.value, now, deps.reverifyTimes);
  if (!walk) return nothing;
  const { due, cursor } = await findDue(deps, connection.id, walk.cursor, now);
  const { chosen, withoutSlot } = await choose(deps, connection, due);
  // Its ID must not follow from this process's clock.
  const stepAt = found?.value.movedAt ?? connection.createdAt;
  if (chosen.length > 0 && !(await start(deps, connection, chosen, walk.serial, stepAt))) return nothing;
  const { cursor: _read, ...rest } = walk;
  const next: ReverifyWalk = { ...rest, movedAt: now, ...(cursor !== undefined && { cursor }) };
  await deps.reverifyWalks.put(connection.id, next, found?.tag);
  if (!found) await removeIfGone(deps, connection);
  return { started: chosen.length, withoutSlot };
}

/** A connection that somebody has fixed in Microsoft 365 is `ready` again without anyone asking for a test. */
async function testAgain(
  deps: ReverifyConnectionDeps,
  { customerId, id, finding, lastTest }: Connection,
): Promise<void> {
  const askedAt = Math.max(finding?.seenAt.getTime() ?? 0, lastTest?.testedAt.getTime() ?? 0);
  const isDue = deps.clock.now().getTime() - askedAt >= deps.reverifyTimes.reverifyFailedAfterMs;
  if (isDue) await deps.testConnection(customerId, id);
}

function nextStep(
  last: ReverifyWalk | undefined,
  now: Date,
  { reverifyFailedAfterMs }: ReverifyTimes,
): ReverifyWalk | undefined {
  const serial = (last?.serial ?? 0) + 1;
  if (last?.cursor !== undefined) return { ...last, serial };
  if (last && now.getTime() - last.startedAt.getTime() < reverifyFailedAfterMs / WALKS_PER_INTERVAL) return undefined;
  return { serial, startedAt: now, movedAt: now };
}

/** Resolves to where the next step begins: the page that has more due mailboxes than fit, or the one after the last. */
async function findDue(
  { ledger, reverifyTimes }: ReverifyConnectionDeps,
  connectionId: string,
  from: string | undefined,
  now: Date,
): Promise<{ due: Mailbox[]; cursor: string | undefined }> {
  const due: Mailbox[] = [];
  let cursor = from;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const request = { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) };
    const page = await ledger.findMailboxes(connectionId, request, {});
    const found = page.items
      .map(({ value }) => value)
      .filter((mailbox) => isReverified(mailbox) && dueAt(connectionId, mailbox, reverifyTimes) <= now);
    if (due.length > 0 && due.length + found.length > REVERIFIED_TOGETHER) break;
    due.push(...found);
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  return { due, cursor };
}

/**
 * A mailbox that has failed takes a slot while it is checked. Those that have been due for longest come first, and no more
 * than a part of the free slots are taken.
 */
async function choose(
  { slots, reverifyTimes }: Pick<ReverifyConnectionDeps, 'slots' | 'reverifyTimes'>,
  { id, customerId }: Connection,
  due: readonly Mailbox[],
): Promise<{ chosen: Mailbox[]; withoutSlot: number }> {
  const needing = due.filter(({ slotClaimedBy }) => slotClaimedBy === undefined);
  const count = needing.length > 0 ? await slots.get(customerId) : undefined;
  const free = count ? Math.max(0, count.limit - count.used) : 0;
  // The last free slot is not left alone: it may be the one that a mailbox gave back when it failed.
  const slotsMax = Math.min(SLOTS_MAX, Math.ceil(free * SLOTS_SHARE));
  const longestDue = needing
    .map((mailbox) => ({ mailbox, at: dueAt(id, mailbox, reverifyTimes).getTime() }))
    .sort((a, b) => a.at - b.at)
    .map(({ mailbox }) => mailbox);
  const withSlot = new Set(longestDue.slice(0, slotsMax));
  const chosen = due.filter((mailbox) => mailbox.slotClaimedBy !== undefined || withSlot.has(mailbox));
  return { chosen, withoutSlot: needing.length - withSlot.size };
}

/** Resolves to `false` if the customer has too much going on, or its slots were taken in the meantime. */
async function start(
  deps: ReverifyConnectionDeps,
  connection: Connection,
  chosen: readonly Mailbox[],
  serial: number,
  stepAt: Date,
): Promise<boolean> {
  const newId = createRepeatableIds(`reverify\n${connection.id}\n${serial}`, stepAt);
  const quotas = { ...deps.quotas, runningImportsMax: Math.min(OPEN_MAX, deps.quotas.runningImportsMax) };
  try {
    await startAction({ ...deps, quotas, newId }, connection, 'check', selected(chosen), { isReverification: true });
    return true;
  } catch (error) {
    if (error instanceof DomainError && (error.code === 'quota_reached' || error.code === 'slot_limit_reached')) {
      return false;
    }
    throw error;
  }
}

async function* selected(mailboxes: readonly Mailbox[]) {
  for (const { address, slotClaimedBy } of mailboxes) yield { address, takesSlot: slotClaimedBy === undefined };
}

/** The first record of a walk may have been written after the connection was purged. */
async function removeIfGone(deps: ReverifyConnectionDeps, { customerId, id }: Connection): Promise<void> {
  if (!(await deps.connections.get(customerId, id))) await deps.sendDeletion({ customerId, connectionId: id });
}
